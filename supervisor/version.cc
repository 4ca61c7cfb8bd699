#include "supervisor/version.h"

namespace arenad {
const char* const kVersion = ARENAD_PROGRAM_VERSION;
}
