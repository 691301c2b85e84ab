/* Memory maps: private, shared, of files, moved, protected, punched with holes. */
#include "sample.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static long page;

static char *map(size_t pages, int protection, int flags, int fd, off_t offset)
{
    return mmap(NULL, pages * page, protection, flags, fd, offset);
}

static char *anonymous(size_t pages)
{
    return map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int all(const char *at, size_t length, char value)
{
    for (size_t i = 0; i < length; i++)
        if (at[i] != value)
            return 0;
    return 1;
}

/* Whether a page is mapped, asked without touching it: msync answers ENOMEM for a hole. */
static int mapped(char *at)
{
    return msync(at, page, MS_ASYNC) == 0;
}

static void anonymous_maps(void)
{
    char *at = anonymous(8);
    CHECK("fresh pages are zero and page aligned", at != MAP_FAILED && (uintptr_t)at % page == 0 && all(at, 8 * page, 0));
    memset(at, 7, 8 * page);
    CHECK("munmap of a hole in the middle", munmap(at + 2 * page, 2 * page) == 0 && mapped(at + page) &&
          !mapped(at + 2 * page) && !mapped(at + 3 * page) && mapped(at + 4 * page));
    CHECK("what is around the hole stays", all(at, 2 * page, 7) && all(at + 4 * page, 4 * page, 7));
    CHECK("munmap where nothing is", munmap(at + 2 * page, page) == 0);
    char *again = mmap(at + 2 * page, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK("MAP_FIXED fills the hole with zeroes", again == at + 2 * page && all(again, 2 * page, 0));
    again = mmap(at + page, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK("MAP_FIXED replaces what was there", again == at + page && all(again, 2 * page, 0) && all(at, page, 7));
    FAILS("MAP_FIXED_NOREPLACE over a mapping",
          mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    munmap(at + 5 * page, page);
    CHECK("MAP_FIXED_NOREPLACE into a hole", mmap(at + 5 * page, page, PROT_READ,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at + 5 * page);
    memset(at, 9, page);
    CHECK("MADV_DONTNEED gives zeroes back", madvise(at, 5 * page, MADV_DONTNEED) == 0 && all(at, 5 * page, 0));
    CHECK("MADV_WILLNEED", madvise(at, page, MADV_WILLNEED) == 0);
    FAILS("madvise of nonsense", madvise(at, page, 12345), EINVAL);
    FAILS("madvise of an odd address", madvise(at + 1, page, MADV_DONTNEED), EINVAL);
    munmap(at, 8 * page);
    FAILS("mmap of nothing", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS("mmap without private or shared", mmap(NULL, page, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    FAILS("MAP_FIXED at an odd address", mmap((void *)12345, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    FAILS("munmap at an odd address", munmap((void *)12345, page), EINVAL);
    FAILS("munmap of nothing", munmap((void *)page, 0), EINVAL);
    FAILS("mmap of a bad descriptor", mmap(NULL, page, PROT_READ, MAP_PRIVATE, 999, 0), EBADF);
    FAILS("mmap of more than there is", mmap(NULL, (size_t)-1 - 2 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
}

static void protection(void)
{
    char *at = anonymous(3);
    int tube[2];
    pipe(tube);
    memset(at, 'x', 3 * page);
    CHECK("mprotect the middle", mprotect(at + page, page, PROT_READ) == 0);
    write(tube[1], "abc", 3);
    FAILS("read into a read-only page", read(tube[0], at + page, 1), EFAULT);
    CHECK("read beside it", read(tube[0], at, 3) == 3 && !memcmp(at, "abc", 3));
    CHECK("write from it", write(tube[1], at + page, 2) == 2);
    CHECK("no access at all", mprotect(at + page, page, PROT_NONE) == 0);
    FAILS("write from a page without access", write(tube[1], at + page, 1), EFAULT);
    CHECK("access given back, contents kept", mprotect(at + page, page, PROT_READ | PROT_WRITE) == 0 && all(at + page, page, 'x'));
    munmap(at + page, page);
    FAILS("mprotect over a hole", mprotect(at, 3 * page, PROT_READ), ENOMEM);
    FAILS("mprotect of an odd address", syscall(SYS_mprotect, at + 1, page, PROT_READ), EINVAL); /* musl rounds */
    munmap(at, 3 * page);
    close(tube[0]), close(tube[1]);
}

static void moving(void)
{
    char *at = anonymous(4), *wall, *moved;
    for (int i = 0; i < 4; i++)
        memset(at + i * page, 'a' + i, page);
    CHECK("mremap shrinks in place", mremap(at, 4 * page, 2 * page, 0) == at && !mapped(at + 2 * page));
    CHECK("mremap grows into the gap", mremap(at, 2 * page, 4 * page, 0) == at && all(at + page, page, 'b') &&
          all(at + 2 * page, 2 * page, 0));
    wall = mmap(at + 3 * page, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    FAILS("mremap can't grow into a neighbour", mremap(at, 3 * page, 4 * page, 0), ENOMEM);
    moved = mremap(at, 3 * page, 40 * page, MREMAP_MAYMOVE);
    CHECK("mremap moves with its contents", moved != MAP_FAILED && moved != at && all(moved, page, 'a') &&
          all(moved + page, page, 'b') && all(moved + 2 * page, 38 * page, 0));
    CHECK("nothing is left behind", !mapped(at) && mapped(wall));
    CHECK("mremap to a fixed place", mremap(moved, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at &&
          all(at, page, 'a') && !mapped(moved));
    FAILS("mremap of a hole", mremap(moved, page, 2 * page, MREMAP_MAYMOVE), EFAULT);
    FAILS("mremap to nothing", mremap(at, page, 0, 0), EINVAL);
    munmap(at, 4 * page), munmap(moved, 40 * page);
}

static void files(void)
{
    char text[8];
    int fd = open("m", O_RDWR | O_CREAT, 0600), reader = open("m", O_RDONLY);
    ftruncate(fd, 3 * page - 100);
    pwrite(fd, "begin", 5, 0);
    pwrite(fd, "second", 6, page);
    char *shared = map(3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *other = map(2, PROT_READ, MAP_SHARED, reader, page);
    char *own = map(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
    CHECK("a file's bytes", !memcmp(shared, "begin", 5) && !memcmp(own + page, "second", 6));
    CHECK("an offset", !memcmp(other, "second", 6));
    CHECK("beyond the end of the file, within its last page: zeroes", all(shared + 3 * page - 100, 100, 0));
    memcpy(shared + page, "SECOND", 6);
    CHECK("a shared store shows in the other mapping", !memcmp(other, "SECOND", 6));
    CHECK("and through read", pread(fd, text, 6, page) == 6 && !memcmp(text, "SECOND", 6));
    CHECK("a write shows in the mapping", pwrite(fd, "third", 5, 2 * page) == 5 && !memcmp(other + page, "third", 5));
    memcpy(own, "BEGIN", 5);
    CHECK("a private store stays private", !memcmp(shared, "begin", 5) && pread(fd, text, 5, 0) == 5 && !memcmp(text, "begin", 5));
    CHECK("msync", msync(shared, 3 * page, MS_SYNC) == 0);
    FAILS("msync of an odd address", msync(shared + 1, page, MS_SYNC), EINVAL);
    FAILS("msync with both ways", msync(shared, page, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK("the mapping outlives the descriptor", close(fd) == 0 && !memcmp(shared + page, "SECOND", 6));
    FAILS("a shared writable map of a read-only descriptor", mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, reader, 0), EACCES);
    FAILS("mprotect to writable of a read-only shared map", mprotect(other, page, PROT_READ | PROT_WRITE), EACCES);
    CHECK("MADV_DONTNEED of a private page shows the file again", madvise(own, page, MADV_DONTNEED) == 0 && !memcmp(own, "begin", 5));
    munmap(shared, 3 * page), munmap(other, 2 * page), munmap(own, 3 * page);
    CHECK("the stores are in the file", pread(reader, text, 6, page) == 6 && !memcmp(text, "SECOND", 6));
    close(reader);
    unlink("m");
    CHECK("anonymous shared memory", (shared = map(2, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED &&
          all(shared, 2 * page, 0) && munmap(shared, 2 * page) == 0);
    fd = open(".", O_RDONLY);
    FAILS("a folder can't be mapped", mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
    close(fd);
}

static void breaks(void)
{
    char *start = (char *)syscall(SYS_brk, 0L), *end = start + 5 * page + 123;
    CHECK("brk grows", (char *)syscall(SYS_brk, end) == end);
    CHECK("with zeroes", all(start, 5 * page + 123, 0));
    memset(start, 3, 5 * page);
    CHECK("brk shrinks", (char *)syscall(SYS_brk, start + page) == start + page);
    CHECK("grown again, zeroes again", (char *)syscall(SYS_brk, end) == end && all(start + 2 * page, 3 * page, 0));
    CHECK("brk below the start changes nothing", (char *)syscall(SYS_brk, 1L) == end);
    CHECK("brk beyond everything changes nothing", (char *)syscall(SYS_brk, -page) == end);
    CHECK("brk back", (char *)syscall(SYS_brk, start) == start);
}

static void large(void)
{
    size_t size = 64 << 20, i, wrong = 0;
    unsigned char *at = malloc(size);
    for (i = 0; at && i < size; i += page / 4)
        at[i] = i / page % 251;
    for (i = 0; at && i < size; i += page / 4)
        wrong += at[i] != i / page % 251;
    CHECK("64 MiB from malloc", at && !wrong);
    unsigned char *more = realloc(at, 2 * size);
    for (i = 0; more && i < size; i += page)
        wrong += more[i] != i / page % 251;
    CHECK("realloc keeps the contents", more && !wrong);
    free(more);
    at = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    at[500 << 20] = 1;
    CHECK("512 MiB reserved, touched once", at != MAP_FAILED && at[500 << 20] == 1 && at[400 << 20] == 0);
    munmap(at, 512 << 20);
}

int main(void)
{
    page = sysconf(_SC_PAGESIZE);
    enter_fresh_directory();
    anonymous_maps();
    protection();
    moving();
    files();
    breaks();
    large();
    leave_fresh_directory();
    return finish();
}
