/* Lists that threads push to and pop from without a lock: a head of 16 bytes, the first entry and a count. */
#include "runtime.h"

struct entry {
    struct entry *next;
};
struct head {
    struct entry *first;
    QWORD depth;
};

static int exchange(struct head *head, struct head *seen, struct head made) {
    unsigned __int128 expected, wanted, *place = (void *)head;
    __builtin_memcpy(&expected, seen, 16);
    __builtin_memcpy(&wanted, &made, 16);
    int done;
    __asm__ volatile("lock cmpxchg16b %1"
                     : "=@ccz"(done), "+m"(*place), "+a"(((QWORD *)&expected)[0]), "+d"(((QWORD *)&expected)[1])
                     : "b"((QWORD)wanted), "c"((QWORD)(wanted >> 64)));
    __builtin_memcpy(seen, &expected, 16);
    return done;
}

/* The count's low 16 bits are the list's depth; the rest changes with every push, so that a pop sees it. */
static QWORD deeper(QWORD depth) { return ((depth >> 16) + 1) << 16 | (WORD)(depth + 1); }

MS(void, InitializeSListHead, struct head *head) { *head = (struct head){0}; }
MS(WORD, QueryDepthSList, struct head *head) { return head->depth; }

MS(struct entry *, InterlockedPushEntrySList, struct head *head, struct entry *entry) {
    struct head seen = *head;
    do
        entry->next = seen.first;
    while (!exchange(head, &seen, (struct head){entry, deeper(seen.depth)}));
    return seen.first;
}

MS(struct entry *, InterlockedPopEntrySList, struct head *head) {
    struct head seen = *head;
    while (seen.first && !exchange(head, &seen, (struct head){seen.first->next, seen.depth - 1}))
        ;
    return seen.first;
}

MS(struct entry *, InterlockedFlushSList, struct head *head) {
    struct head seen = *head;
    while (seen.first && !exchange(head, &seen, (struct head){0, seen.depth & ~0xffffull}))
        ;
    return seen.first;
}
