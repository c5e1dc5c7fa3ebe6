#include "guard/config.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"
#include "node/file.h"

#include <fcntl.h>
#include <string.h>

#define VERSION_SIZE 32

/* What a binary says of itself to whoever reads it as a file. */
#define MARK "imds-guard binary, version "
__attribute__((used)) static const char mark[] = MARK IMDS_GUARD_VERSION;

/* Read, not mapped: whoever truncates the file meanwhile would end us (SIGBUS). */
struct binary {
    char *bytes; /* NULL: there is none that can be read */
    size_t size;
    mode_t mode;
};

static void cleanup_binary(struct binary *binary)
{
    free(binary->bytes);
}

static struct binary read_there(int directory)
{
    struct binary there = {0};
    struct error unused;
    struct stat status;

    if (fstatat(directory, CONFIG_PLUGIN_TYPE, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        file_read(directory, CONFIG_PLUGIN_TYPE, FILE_LINK_REFUSE, &there.bytes, &there.size,
                  &unused) == 0)
        there.mode = status.st_mode & 07777;
    return there;
}

static bool find_version(const struct binary *binary, char version[static VERSION_SIZE])
{
    const char *end = binary->bytes + binary->size;
    const char *at = memmem(binary->bytes, binary->size, mark, sizeof(MARK) - 1);
    size_t length = 0;

    if (!at)
        return false;
    at += sizeof(MARK) - 1;
    length = strnlen(at, (size_t)(end - at));
    if (length == 0 || length >= VERSION_SIZE || at + length == end)
        return false;
    memcpy(version, at, length + 1);
    return true;
}

/* A rename, because a binary that runs cannot be written to (ETXTBSY, execve(2)). */
static int replace_binary(int directory, const struct binary *self, struct error *err)
{
    const struct stat like = {.st_mode = 0755, .st_uid = geteuid(), .st_gid = getegid()};
    cleanup(replacement) struct replacement file = {.fd = -1};

    if (replacement_begin(directory, &like, &file, err) < 0 ||
        replacement_write(&file, (struct span){self->bytes, self->size}, err) < 0)
        return -1;
    return replacement_commit(&file, directory, CONFIG_PLUGIN_TYPE, err);
}

/*
 * What there is to do about the binary that is there: nothing, if it is newer than this one. One that
 * everybody may run and that says a version is taken to work: whoever puts one there does so by a
 * rename, as we do.
 */
static int replace_unless_newer(const struct install_options *options, int directory,
                                const struct binary *self, struct install_report *report,
                                struct error *err)
{
    cleanup(binary) struct binary there = read_there(directory);
    char version[VERSION_SIZE];
    const bool usable = (there.mode & 0555) == 0555 && find_version(&there, version);
    struct notes *notes = &report->notes;
    struct error why;

    /* Everybody can run what is there, and it is us. */
    if (there.mode == 0755 && there.size == self->size &&
        memcmp(there.bytes, self->bytes, self->size) == 0) {
        notes_add(notes, NOTE_SKIPPED, "%s/" CONFIG_PLUGIN_TYPE ": up to date already",
                  options->bin_dir);
    } else if (usable && strverscmp(version, IMDS_GUARD_VERSION) > 0) {
        notes_add(notes, NOTE_SKIPPED,
                  "%s/" CONFIG_PLUGIN_TYPE
                  ": left as it is, version %s, newer than this one, " IMDS_GUARD_VERSION,
                  options->bin_dir, version);
    } else if (replace_binary(directory, self, &why) == 0) {
        report->binary_written = true;
        notes_add(notes, NOTE_DONE, "%s/" CONFIG_PLUGIN_TYPE ": written", options->bin_dir);
    } else {
        error_context(&why, "%s", options->bin_dir);
        if (!usable) {
            *err = why;
            return -1;
        }
        notes_add(notes, NOTE_PROBLEM, "%s; version %s is there and works, and stays", why.msg,
                  version);
    }
    return 0;
}

int install_binary(const struct install_options *options, struct install_report *report,
                   struct error *err)
{
    cleanup(binary) struct binary self = {0};
    cleanup(close_fd) int directory = -1;

    if (file_read(AT_FDCWD, "/proc/self/exe", FILE_LINK_FOLLOW, &self.bytes, &self.size, err) < 0)
        return error_context(err, "my own binary");
    if (replace_lock(options->bin_dir, options->impatient ? 0 : REPLACE_PATIENCE_MS, &directory,
                     err) < 0)
        return error_context(err, "where the runtime looks for plugins (--bin-dir)");
    return replace_unless_newer(options, directory, &self, report, err);
}
