#include "guard/config.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"
#include "node/file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
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

static int read_self(struct binary *out, struct error *err)
{
    return file_read(AT_FDCWD, "/proc/self/exe", FILE_LINK_FOLLOW, &out->bytes, &out->size, err) < 0
               ? error_context(err, "my own binary")
               : 0;
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

/* The table of sections is what linkers write last. */
static bool is_whole(const ElfW(Ehdr) * header, size_t size)
{
    return header->e_phoff + (size_t)header->e_phnum * header->e_phentsize <= size &&
           header->e_shoff + (size_t)header->e_shnum * header->e_shentsize <= size;
}

/* What begins as the mark does and ends in something else than NUL is other text. */
static bool find_version(const char *bytes, size_t length, char version[static VERSION_SIZE])
{
    const char *at = bytes;

    while ((at = memmem(at, length - (size_t)(at - bytes), mark, sizeof(MARK) - 1))) {
        size_t size = 0;

        at += sizeof(MARK) - 1;
        while (size < VERSION_SIZE - 1 && at + size < bytes + length && at[size] > ' ' &&
               at[size] < 0x7f)
            size++;
        if (size == 0 || at + size == bytes + length || at[size] != '\0')
            continue;
        memcpy(version, at, size);
        version[size] = '\0';
        return true;
    }
    return false;
}

/*
 * Whether `there` is a whole program of ours for this machine that everybody may run; then *version is
 * what `imds-guard version` would say. Judged without running it: no command runs another program.
 */
static bool works(const struct binary *there, const struct binary *self,
                  char version[static VERSION_SIZE])
{
    const ElfW(Ehdr) *header = (const void *)there->bytes;
    const ElfW(Ehdr) *own = (const void *)self->bytes;

    return (there->mode & 0555) == 0555 && there->size >= sizeof(*header) &&
           memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_machine == own->e_machine &&
           header->e_type != ET_NONE && is_whole(header, there->size) &&
           find_version(there->bytes, there->size, version);
}

/* Whether everybody can run what is there, and it is us. */
static bool is_installed(const struct binary *there, const struct binary *self)
{
    return there->mode == 0755 && there->size == self->size &&
           memcmp(there->bytes, self->bytes, self->size) == 0;
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

/* What there is to do about the binary that is there: nothing, if it is newer than this one. */
static int replace_unless_newer(const struct install_options *options, int directory,
                                const struct binary *self, struct install_report *report,
                                struct error *err)
{
    cleanup(binary) struct binary there = read_there(directory);
    char version[VERSION_SIZE];
    bool usable = works(&there, self, version);
    struct notes *notes = &report->notes;
    struct error why;

    if (is_installed(&there, self))
        return notes_add(notes, err, NOTE_SKIPPED, "%s/" CONFIG_PLUGIN_TYPE ": up to date already",
                         options->bin_dir);
    if (usable && strverscmp(version, IMDS_GUARD_VERSION) > 0)
        return notes_add(notes, err, NOTE_SKIPPED,
                         "%s/" CONFIG_PLUGIN_TYPE
                         ": left as it is, version %s, newer than this one, " IMDS_GUARD_VERSION,
                         options->bin_dir, version);
    if (replace_binary(directory, self, &why) == 0) {
        report->binary_written = true;
        return notes_add(notes, err, NOTE_DONE, "%s/" CONFIG_PLUGIN_TYPE ": written",
                         options->bin_dir);
    }
    error_context(&why, "%s", options->bin_dir);
    if (!usable) {
        *err = why;
        return -1;
    }
    return notes_add(notes, err, NOTE_PROBLEM, "%s; version %s is there and works, and stays",
                     why.msg, version);
}

int install_binary(const struct install_options *options, struct install_report *report,
                   struct error *err)
{
    cleanup(binary) struct binary self = {0};
    cleanup(close_fd) int directory = -1;

    if (read_self(&self, err) < 0)
        return -1;
    if (replace_lock(options->bin_dir, options->impatient ? 0 : REPLACE_PATIENCE_MS, &directory,
                     err) < 0)
        return error_context(err, "where the runtime looks for plugins (--bin-dir)");
    return replace_unless_newer(options, directory, &self, report, err);
}
