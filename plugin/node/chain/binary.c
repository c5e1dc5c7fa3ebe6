#include "node/chain/binary.h"

#include "guard/cleanup.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX (64 * 1024 * 1024) /* with sanitizers it has ten */

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
static bool find_version(const char *bytes, size_t length, char version[static BINARY_VERSION_SIZE])
{
    const char *at = bytes;

    while ((at = memmem(at, length - (size_t)(at - bytes), mark, sizeof(MARK) - 1))) {
        size_t size = 0;

        at += sizeof(MARK) - 1;
        while (size < BINARY_VERSION_SIZE - 1 && at + size < bytes + length && at[size] > ' ' &&
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

/* Not mapped: whoever truncates the file meanwhile would end us (SIGBUS). */
static bool read_version(int fd, off_t size, char version[static BINARY_VERSION_SIZE])
{
    cleanup(free_text) char *bytes = malloc((size_t)size);
    off_t length = 0;

    while (bytes && length < size) {
        ssize_t got = pread(fd, bytes + length, (size_t)(size - length), length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        length += got;
    }
    return bytes && find_version(bytes, (size_t)size, version);
}

bool binary_works(int fd, int self, char version[static BINARY_VERSION_SIZE])
{
    ElfW(Ehdr) header, own;
    struct stat status;

    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0555) == 0555 &&
           status.st_size <= BYTES_MAX && read_header(fd, &header) && read_header(self, &own) &&
           header.e_machine == own.e_machine && header.e_type != ET_NONE &&
           is_whole(&header, status.st_size) && read_version(fd, status.st_size, version);
}
