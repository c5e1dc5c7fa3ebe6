#include "guard/config.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/sendfile.h>

#define BLOCK        (64 * 1024)
#define VERSION_SIZE 32
#define BYTES_MAX    (64 * 1024 * 1024) /* with sanitizers it has ten */

/* What a binary says of itself to whoever reads it as a file. */
#define MARK "imds-guard binary, version "
__attribute__((used)) static const char mark[] = MARK IMDS_GUARD_VERSION;

static bool read_header(int fd, ElfW(Ehdr) * out)
{
    return pread(fd, out, sizeof(*out), 0) == (ssize_t)sizeof(*out) &&
           memcmp(out->e_ident, ELFMAG, SELFMAG) == 0;
}

/* The table of sections is what linkers write last. */
static bool is_whole(const ElfW(Ehdr) * header, off_t size)
{
    return header->e_phoff + (size_t)header->e_phnum * header->e_phentsize <= (size_t)size &&
           header->e_shoff + (size_t)header->e_shnum * header->e_shentsize <= (size_t)size;
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

/* Fills the buffer but at the end of the file. */
static ssize_t read_at(int fd, char *out, size_t size, off_t offset)
{
    size_t length = 0;

    while (length < size) {
        ssize_t got = pread(fd, out + length, size - length, offset + (off_t)length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    return (ssize_t)length;
}

/* Not mapped: whoever truncates the file meanwhile would end us (SIGBUS). */
static bool read_version(int fd, off_t size, char version[static VERSION_SIZE])
{
    cleanup(free_text) char *bytes = malloc((size_t)size);

    return bytes && read_at(fd, bytes, (size_t)size, 0) == size &&
           find_version(bytes, (size_t)size, version);
}

/*
 * Whether `there` is a whole program of ours for this machine that everybody may run; then *version is
 * what `imds-guard version` would say. Judged without running it: no command runs another program.
 */
static bool works(int there, int self, char version[static VERSION_SIZE])
{
    ElfW(Ehdr) header, own;
    struct stat status;

    return fstat(there, &status) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & 0555) == 0555 && status.st_size <= BYTES_MAX &&
           read_header(there, &header) && read_header(self, &own) &&
           header.e_machine == own.e_machine && header.e_type != ET_NONE &&
           is_whole(&header, status.st_size) && read_version(there, status.st_size, version);
}

static bool has_same_bytes(int a, int b)
{
    char block_a[BLOCK], block_b[BLOCK];
    off_t offset = 0;
    ssize_t length;

    do {
        length = read_at(a, block_a, BLOCK, offset);
        if (length < 0 || read_at(b, block_b, BLOCK, offset) != length ||
            memcmp(block_a, block_b, (size_t)length) != 0)
            return false;
        offset += length;
    } while (length == BLOCK);
    return true;
}

/* Whether everybody can run what is there, and it is us. Whatever cannot be read is not. */
static bool is_installed(int there, int self, off_t size)
{
    struct stat status;

    return there >= 0 && fstat(there, &status) == 0 && (status.st_mode & 07777) == 0755 &&
           status.st_size == size && has_same_bytes(self, there);
}

static int copy(int from, off_t size, struct replacement *to, struct error *err)
{
    off_t offset = 0;

    while (offset < size) {
        ssize_t done = sendfile(to->fd, from, &offset, (size_t)(size - offset));

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return error_set(err, ERROR_IO, "cannot write %s: %s", REPLACE_TEMPORARY,
                             done < 0 ? strerror(errno) : "the binary ended early");
    }
    return 0;
}

/* A rename, because a binary that runs cannot be written to (ETXTBSY, execve(2)). */
static int replace_binary(int directory, int self, off_t size, struct error *err)
{
    const struct stat like = {.st_mode = 0755, .st_uid = geteuid(), .st_gid = getegid()};
    cleanup(replacement) struct replacement file = {.fd = -1};

    if (replacement_begin(directory, &like, &file, err) < 0 || copy(self, size, &file, err) < 0)
        return -1;
    return replacement_commit(&file, directory, CONFIG_PLUGIN_TYPE, err);
}

/* What there is to do about the binary that is there: nothing, if it is newer than this one. */
static int replace_unless_newer(const struct install_options *options, int directory, int self,
                                off_t size, struct install_report *report, struct error *err)
{
    cleanup(close_fd) int there =
        openat(directory, CONFIG_PLUGIN_TYPE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char version[VERSION_SIZE];
    bool usable = there >= 0 && works(there, self, version);
    struct notes *notes = &report->notes;
    struct error why;

    if (is_installed(there, self, size))
        return notes_add(notes, err, NOTE_SKIPPED, "%s/" CONFIG_PLUGIN_TYPE ": up to date already",
                         options->bin_dir);
    if (usable && strverscmp(version, IMDS_GUARD_VERSION) > 0)
        return notes_add(notes, err, NOTE_SKIPPED,
                         "%s/" CONFIG_PLUGIN_TYPE
                         ": left as it is, version %s, newer than this one, " IMDS_GUARD_VERSION,
                         options->bin_dir, version);
    if (replace_binary(directory, self, size, &why) == 0) {
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
    cleanup(close_fd) int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cleanup(close_fd) int directory = -1;
    struct stat status;

    if (self < 0 || fstat(self, &status) < 0)
        return error_set(err, ERROR_IO, "cannot read my own binary, /proc/self/exe: %s",
                         strerror(errno));
    if (replace_lock(options->bin_dir, options->impatient ? 0 : REPLACE_PATIENCE_MS, &directory,
                     err) < 0)
        return error_context(err, "where the runtime looks for plugins (--bin-dir)");
    return replace_unless_newer(options, directory, self, status.st_size, report, err);
}
