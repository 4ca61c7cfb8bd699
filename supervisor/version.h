// The version of this program, and so of everything that is installed with it.
#pragma once

namespace arenad {
extern const char* const kVersion;
}
