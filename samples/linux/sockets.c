/* AF_UNIX: pairs, names, flags of messages, and what travels beside the data: descriptors and credentials. */

#include "sample.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Print without an end of line; say() ends it. */
static void part(const char *format, ...) {
    char text[200];
    va_list rest;
    va_start(rest, format);
    size_t used = form(text, sizeof text, format, rest);
    va_end(rest);
    write(1, text, used);
}

static const char *why(int number) {
    return number == ECONNREFUSED ? "ECONNREFUSED" : number == EADDRINUSE ? "EADDRINUSE" : error_name(number);
}

static int send_fds(int to, const char *text, const int *fds, int count) {
    char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec part = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, count * sizeof(int));
    }
    return sendmsg(to, &message, MSG_NOSIGNAL);
}

/* Receives into text; up to most descriptors into fds. Returns how many came, tells the flags. */
static int receive_fds(int from, char *text, size_t size, int *fds, int most, int flags, int *told) {
    char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec part = {text, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    message.msg_controllen = most ? CMSG_LEN(most * sizeof(int)) : 0;
    memset(text, 0, size);
    if (recvmsg(from, &message, flags) < 0) return -1;
    *told = message.msg_flags & ~MSG_CMSG_CLOEXEC;
    struct cmsghdr *c = message.msg_controllen ? CMSG_FIRSTHDR(&message) : 0;
    if (!c || c->cmsg_type != SCM_RIGHTS) return 0;
    int count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), count * sizeof(int));
    return count;
}

static void descriptors(void) {
    int pair[2], fds[8], told, pipe_ends[2];
    char text[16], path[] = "passed";
    unsigned long long number = 5;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    pipe(pipe_ends);
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), counter = eventfd(3, EFD_NONBLOCK);
    int memory = memfd_create("shared", 0), set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x1122334455667788ull};
    epoll_ctl(set, EPOLL_CTL_ADD, pipe_ends[0], &event);
    ftruncate(memory, 100);
    write(file, "from the parent", 15);
    pid_t child = fork();
    if (!child) {
        close(pair[0]), close(file), close(counter), close(memory), close(set);
        int count = receive_fds(pair[1], text, sizeof text, fds, 8, MSG_CMSG_CLOEXEC, &told);
        say("child: %d descriptors with '%s', flags %d", count, text, told);
        struct stat state;
        char buffer[32] = {0};
        say("close-on-exec: %d", fcntl(fds[0], F_GETFD) == FD_CLOEXEC);
        pread(fds[0], buffer, 31, 0);
        say("file: '%s' at %ld", buffer, (long)lseek(fds[0], 0, SEEK_CUR));
        memset(buffer, 0, sizeof buffer);
        part("counter: %d", (int)read(fds[1], &number, 8));
        say(" %Lu", number);
        fstat(fds[2], &state);
        char *shared = mmap(0, 100, PROT_READ | PROT_WRITE, MAP_SHARED, fds[2], 0);
        strcpy(shared, "written by the child");
        say("memory: %ld bytes", (long)state.st_size);
        write(fds[3], "x", 1);
        int ready = epoll_wait(fds[4], &event, 1, 1000);
        say("set: %d %Lx", ready, (unsigned long long)event.data.u64);
        write(fds[5], "through itself", 14);
        exit(0);
    }
    close(pair[1]);
    int all[] = {file, counter, memory, pipe_ends[1], set, pair[0]};
    send_fds(pair[0], "take", all, 6);
    int status;
    waitpid(child, &status, 0);
    char *shared = mmap(0, 100, PROT_READ, MAP_SHARED, memory, 0);
    say("parent: '%s', counter empty: %d", shared, read(counter, &number, 8) < 0 && errno == EAGAIN);
    close(pair[0]), close(file), close(counter), close(memory), close(set), close(pipe_ends[0]), close(pipe_ends[1]);
    unlink(path);
}

static void cut(void) {
    int pair[2], fds[8], told, pipe_ends[2];
    char text[16];
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    pipe(pipe_ends);
    int two[2] = {pipe_ends[1], pipe_ends[1]}, bad[1] = {999};
    say("bad descriptor: %s", send_fds(pair[0], "x", bad, 1) < 0 ? why(errno) : "sent");
    send_fds(pair[0], "room for one", two, 2);
    int count = receive_fds(pair[1], text, 4, fds, 1, 0, &told);
    say("%d descriptor, text %d, truncated %d, control truncated %d", count, (int)strnlen(text, 4),
           !!(told & MSG_TRUNC), !!(told & MSG_CTRUNC));
    for (int k = 0; k < count; k++) close(fds[k]);
    send_fds(pair[0], "none", two, 1);
    count = receive_fds(pair[1], text, sizeof text, fds, 0, 0, &told);
    say("%d descriptors, control truncated %d", count, !!(told & MSG_CTRUNC));
    close(pipe_ends[1]);
    say("nobody holds the pipe: %d", (int)read(pipe_ends[0], text, 1));
    close(pair[0]), close(pair[1]), close(pipe_ends[0]);
}

static void credentials(void) {
    int pair[2], one = 1;
    char text[8], control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    struct ucred peer;
    socklen_t size = sizeof peer;
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size);
    say("peer is me: %d", peer.pid == getpid() && peer.uid == getuid() && peer.gid == getgid() && size == 12);
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    pid_t child = fork();
    if (!child) {
        send(pair[0], "who", 3, 0);
        _exit(0);
    }
    struct iovec part = {text, sizeof text};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    message.msg_controllen = sizeof control;
    recvmsg(pair[1], &message, 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    memcpy(&peer, CMSG_DATA(c), sizeof peer);
    say("sent by the child: %d, length %d", c->cmsg_type == SCM_CREDENTIALS && peer.pid == child,
           c->cmsg_len == CMSG_LEN(sizeof peer));
    waitpid(child, 0, 0);
    c->cmsg_level = SOL_SOCKET;
    peer.pid = 1;
    memcpy(CMSG_DATA(c), &peer, sizeof peer);
    peer.pid = getpid();
    memcpy(CMSG_DATA(c), &peer, sizeof peer);
    message.msg_controllen = CMSG_SPACE(sizeof peer);
    part.iov_len = 2;
    say("my own: %d", (int)sendmsg(pair[0], &message, 0));
    c->cmsg_len = CMSG_LEN(sizeof peer) + 100;
    say("too long: %s", sendmsg(pair[0], &message, 0) < 0 ? why(errno) : "sent");
    close(pair[0]), close(pair[1]);
}

static void flags(void) {
    int pair[2], queued = 0;
    char text[16] = {0};
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    send(pair[0], "datagram", 8, 0);
    part("peek %d, whole size %d", (int)recv(pair[1], text, 4, MSG_PEEK), (int)recv(pair[1], text, 4, MSG_PEEK | MSG_TRUNC));
    ioctl(pair[1], FIONREAD, &queued);
    part(", queued %d, read %d", queued, (int)recv(pair[1], text, 16, 0));
    say(", then %s", recv(pair[1], text, 16, MSG_DONTWAIT) < 0 ? why(errno) : "more");
    struct mmsghdr many[3] = {0};
    struct iovec parts[3] = {{"one", 3}, {"three", 5}, {"", 0}};
    for (int k = 0; k < 3; k++) many[k].msg_hdr.msg_iov = &parts[k], many[k].msg_hdr.msg_iovlen = 1;
    part("sendmmsg %d", sendmmsg(pair[0], many, 3, 0));
    char rooms[3][8];
    for (int k = 0; k < 3; k++) parts[k] = (struct iovec){rooms[k], 8}, many[k].msg_len = 99;
    struct timespec patience = {5, 0};
    part(", recvmmsg %d", recvmmsg(pair[1], many, 3, MSG_WAITFORONE, &patience));
    part(" (%d %d %d)", many[0].msg_len, many[1].msg_len, many[2].msg_len);
    say(", empty %s", recvmmsg(pair[1], many, 3, MSG_DONTWAIT, 0) < 0 ? why(errno) : "not");
    struct timeval wait = {0, 20000}, kept;
    socklen_t size = sizeof kept;
    setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    getsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &kept, &size);
    say("timeout %d.%d of %d bytes: %s", (int)kept.tv_sec, (int)kept.tv_usec, size == sizeof kept,
           recv(pair[1], text, 1, 0) < 0 ? why(errno) : "came");
    close(pair[0]), close(pair[1]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    pid_t child = fork();
    if (!child) {
        write(pair[0], "first ", 6);
        usleep(20000);
        write(pair[0], "second", 6);
        _exit(0);
    }
    close(pair[0]);
    memset(text, 0, sizeof text);
    part("all: %d '%s'", (int)recv(pair[1], text, 12, MSG_WAITALL), text);
    part(", end %d", (int)recv(pair[1], text, 12, MSG_WAITALL));
    say(", send %s", send(pair[1], "x", 1, MSG_NOSIGNAL) < 0 ? why(errno) : "worked");
    waitpid(child, 0, 0);
    close(pair[1]);
}

static void named(const char *path, socklen_t size, const char *what) {
    struct sockaddr_un name = {.sun_family = AF_UNIX}, peer;
    memcpy(name.sun_path, path, size);
    socklen_t full = 2 + size, length = sizeof peer;
    int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (*path) unlink(path);
    if (bind(server, (void *)&name, full) < 0) say("bind: %s", why(errno));
    pid_t child = fork();
    if (!child) {
        int client = socket(AF_UNIX, SOCK_DGRAM, 0);
        struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "client"};
        unlink("client");
        bind(client, (void *)&own, sizeof own);
        connect(client, (void *)&name, full);
        send(client, "ask", 3, 0);
        char answer[16] = {0};
        int count = recv(client, answer, 15, 0);
        getpeername(client, (void *)&peer, &length);
        say("%s: got '%s' (%d) from a name of %d bytes, equal %d", what, answer, count, length,
               length == full && !memcmp(&peer, &name, full));
        exit(0);
    }
    char text[8];
    memset(&peer, 0xff, sizeof peer);
    length = 6;
    recvfrom(server, text, 8, MSG_PEEK, (void *)&peer, &length);
    peer.sun_path[4] = 0;
    say("%s: name cut to '%s' of %d", what, peer.sun_path, length);
    length = sizeof peer;
    recvfrom(server, text, 8, 0, (void *)&peer, &length);
    say("%s: asked by '%s'", what, peer.sun_path);
    sendto(server, "answer", 6, 0, (void *)&peer, length);
    waitpid(child, 0, 0);
    unlink("client");
    if (*path) unlink(path);
    close(server);
}

static void connections(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "door"};
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
    socklen_t size = sizeof error;
    unlink("door");
    bind(server, (void *)&name, sizeof name);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    part("no listener: %s", connect(client, (void *)&name, sizeof name) < 0 ? why(errno) : "connected");
    say(", again: %s", bind(server, (void *)&name, sizeof name) < 0 ? why(errno) : "bound");
    listen(server, 0);
    part("nobody there: %s", accept4(server, 0, 0, SOCK_CLOEXEC) < 0 ? why(errno) : "accepted");
    part(", connect %d", connect(client, (void *)&name, sizeof name));
    int more = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), full = 0;
    for (int k = 0; k < 4 && !full; k++) {
        int each = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        full = connect(each, (void *)&name, sizeof name) < 0 ? errno : 0;
    }
    say(", then full: %s", why(full));
    int accepted = accept4(server, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
    part("accepted: nonblocking %d, close-on-exec %d", !!(fcntl(accepted, F_GETFL) & O_NONBLOCK), fcntl(accepted, F_GETFD));
    shutdown(accepted, SHUT_WR);
    char byte;
    part(", end %d", (int)read(client, &byte, 1));
    part(", other way %d", (int)write(client, "x", 1));
    getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size);
    say(", error %d, bad how: %s", error, shutdown(client, 9) < 0 ? why(errno) : "done");
    int type = 0, accepting = 0;
    getsockopt(server, SOL_SOCKET, SO_TYPE, &type, &size);
    getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size);
    say("type %d, listening %d, not a socket: %s", type == SOCK_STREAM, accepting,
           listen(0, 1) < 0 ? why(errno) : "listens");
    close(more), close(accepted), close(client), close(server);
    unlink("door");
}

int main(void) {
    descriptors();
    cut();
    credentials();
    flags();
    named("server", 7, "path");
    named("\0hidden\0name", 12, "abstract");
    connections();
    return finish();
}
