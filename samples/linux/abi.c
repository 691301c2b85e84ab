/* Where 32-bit and 64-bit CPUs differ: offsets beyond 4 GiB, times beyond 2038, 64-bit arguments in pairs. */
#include "sample.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static const off_t far = 5000000000;

static void offsets(void)
{
    char buffer[8];
    struct stat about;
    int fd = open("big", O_RDWR | O_CREAT, 0600);
    CHECK("pwrite far away", pwrite(fd, "far", 3, far) == 3);
    CHECK("pread there", pread(fd, buffer, 8, far) == 3 && !memcmp(buffer, "far", 3));
    CHECK("a hole before it", pread(fd, buffer, 4, far - 4) == 4 && !memcmp(buffer, "\0\0\0\0", 4));
    CHECK("not 4 GiB nearer", pread(fd, buffer, 3, far - 4294967296) == 3 && !memcmp(buffer, "\0\0\0", 3));
    CHECK("lseek", lseek(fd, far + 1, SEEK_SET) == far + 1 && read(fd, buffer, 8) == 2 && !memcmp(buffer, "ar", 2));
    CHECK("lseek back", lseek(fd, -2, SEEK_CUR) == far + 1 && lseek(fd, 0, SEEK_END) == far + 3);
    FAILS("lseek overflows", lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
    CHECK("st_size", fstat(fd, &about) == 0 && about.st_size == far + 3 && about.st_blocks < 1000);
    struct iovec part = { "VEC", 3 };
    CHECK("pwritev", pwritev(fd, &part, 1, far + 10) == 3 && pread(fd, buffer, 3, far + 10) == 3 && !memcmp(buffer, "VEC", 3));
    part.iov_base = buffer;
    CHECK("preadv", preadv(fd, &part, 1, far) == 3 && !memcmp(buffer, "far", 3));
    CHECK("truncate", truncate("big", far + 4096) == 0 && stat("big", &about) == 0 && about.st_size == far + 4096);
    CHECK("ftruncate", ftruncate(fd, far + 8192) == 0 && fstat(fd, &about) == 0 && about.st_size == far + 8192);
    FAILS("truncate to less than nothing", ftruncate(fd, -1), EINVAL);
    CHECK("posix_fadvise", posix_fadvise(fd, far, 4096, POSIX_FADV_WILLNEED) == 0 && posix_fadvise(fd, 0, far, 99) != 0);
    CHECK("readahead", readahead(fd, far, 4096) == 0);
    CHECK("sync_file_range", sync_file_range(fd, far, 4096, SYNC_FILE_RANGE_WRITE) == 0);
    FAILS("sync_file_range with a bad flag", sync_file_range(fd, far, 4096, 99), EINVAL);
    CHECK("fallocate", fallocate(fd, 0, far + 8192, 4096) == 0 && fstat(fd, &about) == 0 && about.st_size == far + 12288);
    CHECK("fallocate without growing", fallocate(fd, FALLOC_FL_KEEP_SIZE, far + 16384, 4096) == 0 && fstat(fd, &about) == 0 &&
          about.st_size == far + 12288);
    FAILS("fallocate of nothing", fallocate(fd, 0, far, 0), EINVAL);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = far, .l_len = 10 };
    CHECK("a lock far away", fcntl(fd, F_SETLK, &lock) == 0);
    long page = sysconf(_SC_PAGESIZE);
    char *at = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, far / page * page);
    CHECK("a map far away", at != MAP_FAILED && !memcmp(at + far % page, "far", 3));
    int out = open("out", O_RDWR | O_CREAT, 0600);
    off_t from = far;
    CHECK("sendfile", sendfile(out, fd, &from, 3) == 3 && from == far + 3 && pread(out, buffer, 8, 0) == 3 && !memcmp(buffer, "far", 3));
    off_t to = 1;
    from = far;
    CHECK("copy_file_range", copy_file_range(fd, &from, out, &to, 3, 0) == 3 && from == far + 3 && to == 4 &&
          pread(out, buffer, 8, 0) == 4 && !memcmp(buffer, "ffar", 4));
    close(fd), close(out), unlink("big"), unlink("out");
}

static void times(void)
{
    struct stat about;
    struct timespec at[2] = { { (time_t)5000000000, 1 }, { (time_t)4294967296 + 77, 2 } };
    close(open("t", O_CREAT | O_WRONLY, 0600));
    CHECK("times after 2106", utimensat(AT_FDCWD, "t", at, 0) == 0 && stat("t", &about) == 0 &&
          about.st_atim.tv_sec == (time_t)5000000000 && about.st_mtim.tv_sec == (time_t)4294967296 + 77 && about.st_mtim.tv_nsec == 2);
    at[1].tv_sec = -77;
    CHECK("times before 1970", utimensat(AT_FDCWD, "t", at, 0) == 0 && stat("t", &about) == 0 && about.st_mtim.tv_sec == -77);
    struct statx more;
    CHECK("statx", syscall(SYS_statx, AT_FDCWD, "t", 0, 0x7ff, &more) == 0 && more.stx_mtime.tv_sec == -77 && more.stx_size == 0 &&
          (more.stx_mode & S_IFMT) == S_IFREG);
    unlink("t");
    CHECK("time_t holds 64 bits", sizeof(time_t) == 8 && sizeof(off_t) == 8);
}

static void structures(void)
{
    struct stat one, two;
    struct statfs system;
    CHECK("device numbers", stat("/dev/null", &one) == 0 && one.st_rdev == 0x103 && stat("/dev/zero", &two) == 0 && two.st_rdev == 0x105);
    CHECK("one file, one number", stat(".", &one) == 0 && stat("./", &two) == 0 && one.st_ino == two.st_ino && one.st_ino != 0);
    CHECK("statfs", statfs(".", &system) == 0 && system.f_bsize > 0 && system.f_blocks >= system.f_bfree && system.f_namelen >= 255);
    int fd = open(".", O_RDONLY);
    CHECK("fstatfs", fstatfs(fd, &system) == 0 && system.f_type != 0);
    close(fd);
}

int main(void)
{
    enter_fresh_directory();
    offsets();
    times();
    structures();
    leave_fresh_directory();
    return finish();
}
