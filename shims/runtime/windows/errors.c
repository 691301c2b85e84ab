/* The last error, which every thread has in its TEB. */
#include "layouts.h"

void set_last_error(DWORD error) { current_teb()->last_error = error; }

MS(DWORD, GetLastError, void) { return current_teb()->last_error; }
MS(void, SetLastError, DWORD error) { current_teb()->last_error = error; }
