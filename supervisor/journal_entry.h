// A line of the log as an entry of systemd's journal, with fields that journalctl finds it by: journalctl ARENA=duel. Pure.
//
// Source: systemd's documentation of the native journal protocol: one datagram is one entry; a field is NAME=value and a line end, or, if the
// value has a line end itself, NAME, a line end, the length in 8 bytes, lowest first, the value, a line end.
#pragma once

#include <string>

#include "supervisor/log_line.h"

namespace arenad {

std::string journal_entry(const LogLine& line);

}  // namespace arenad
