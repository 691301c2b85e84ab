/* From the first instruction to the program's entry point. */
#include <unistd.h>

#include "layouts.h"

extern char **environ;
extern struct export __start_ms_exports[], __stop_ms_exports[];

int main(int argc, char **argv) {
    struct start_info info = {0};
    size_t size = (char *)__stop_ms_exports - (char *)__start_ms_exports;
    if (syscall(CALL_BEGIN, __start_ms_exports, size, &first_teb, &info) < 0)
        return 127;
    begin_process(&info, argc, argv, environ);
    attach_modules();
    DWORD(MSABI *entry)(struct peb *) = module_entry(program_module());
    end_process(entry(&the_peb));
}
