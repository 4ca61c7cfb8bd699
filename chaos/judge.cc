#include "chaos/judge.h"

#include <algorithm>
#include <fmt/format.h>

namespace arenad::chaos {
namespace {

using Role = ClientLogWriter::Role;

// The outputs of the run without a crash, with where each begins in the arena's stream.
struct Expected {
  std::vector<RecordView> records;
  std::vector<uint64_t> begins;
};

std::string name_of(const ClientLog& client) {
  return client.head.observer != 0 ? "the observer" : fmt::format("seat {}", client.head.seat);
}

Role role_of(const ClientLog& client) {
  return client.head.observer != 0 ? Role::observer : Role::player;
}

Expected take_expected(const Evidence& evidence, Findings& findings) {
  Expected expected;
  auto records = split_records(evidence.replay.outputs);
  if (!records) {
    findings.problem("the outputs of the replay are not whole records");
    return expected;
  }
  expected.records = std::move(*records);
  uint64_t begin = 0;
  for (const RecordView& record : expected.records) {
    expected.begins.push_back(begin);
    begin += record.header.bytes;
    if (record.header.sequence == expected.begins.size()) continue;
    findings.problem(fmt::format("output {} of the replay has sequence {}", expected.begins.size(), record.header.sequence));
    break;
  }
  return expected;
}

// A client may have received something before it joined; from the frame on in which it joined it must have everything.
uint64_t first_sequence_for(const ClientLog& client, const FrameHistory::Part& part, const Expected& expected,
                            const FrameHistory& history) {
  uint64_t first = UINT64_MAX;
  if (const auto position = history.outputs_end(part.joined - 1)) {
    const auto at = std::lower_bound(expected.begins.begin(), expected.begins.end(), *position) - expected.begins.begin();
    first = static_cast<uint64_t>(at) + 1;
  }
  if (!client.received.empty()) first = std::min(first, client.received.front().header.sequence);
  return first;
}

bool numbered_from_one(std::span<const RecordView> sent) {
  for (size_t i = 0; i < sent.size(); ++i) {
    if (sent[i].header.sequence != i + 1) return false;
  }
  return true;
}

Findings judge_log(const ClientLog& client) {
  Findings findings;
  if (!client.closed) findings.problem("its log is cut off");
  if (!numbered_from_one(client.sent)) findings.problem("its events are not numbered 1, 2, 3...");
  if (!client.lags.empty()) findings.problem(fmt::format("it was told {} times that it is behind", client.lags.size()));
  if (!client.rejections.empty()) findings.problem(fmt::format("{} of its events were rejected", client.rejections.size()));
  return findings;
}

// Counts the events that are in frames.
Findings judge_events(const Evidence& evidence, const ClientLog& client, const FrameHistory::Part& part,
                      uint64_t& taken_events) {
  Findings findings;
  const uint64_t untaken = count_untaken(client.sent, part.taken);
  taken_events += client.sent.size() - untaken;
  if (evidence.ending == Ending::match_over || untaken == 0) return findings;
  findings.lost = untaken;
  findings.problem(fmt::format("{} of its {} events are in no frame", untaken, client.sent.size()));
  return findings;
}

Findings judge_client(const Evidence& evidence, const Expected& expected, const ClientLog& client, uint64_t& taken_events) {
  Findings findings = judge_log(client);
  const FrameHistory::Part* part = evidence.history.part({client.head.channel});
  if (part == nullptr) {
    findings.lost += client.sent.size();
    findings.problem("it never joined");
    return findings;
  }
  if (part->left) findings.problem(fmt::format("frame {} has put it out", *part->left));
  findings += judge_events(evidence, client, *part, taken_events);
  const Audience audience{static_cast<Seat>(client.head.seat), role_of(client),
                          first_sequence_for(client, *part, expected, evidence.history)};
  return findings += compare_outputs(expected.records, audience, client.received);
}

// What the arena counted against what the clients sent: an event may be in a frame and still not be applied, or be applied twice.
Findings judge_counters(const Evidence& evidence, uint64_t taken_events) {
  Findings findings;
  const uint64_t applied = evidence.events_applied;
  if (applied < taken_events) {
    findings.lost = taken_events - applied;
    findings.problem(fmt::format("{} events are in frames, and the arena has applied {}", taken_events, applied));
  }
  if (applied > taken_events) {
    findings.repeated = applied - taken_events;
    findings.problem(fmt::format("{} events are in frames, and the arena has applied {}", taken_events, applied));
  }
  if (evidence.replay.events_applied != taken_events) {
    findings.problem(
        fmt::format("{} events are in frames, and the replay has applied {}", taken_events, evidence.replay.events_applied));
  }
  if (evidence.events_rejected != 0)
    findings.problem(fmt::format("the arena has rejected {} events", evidence.events_rejected));
  if (evidence.divergences != 0) {
    findings.different = evidence.divergences;
    findings.problem(fmt::format("{} frames gave other outputs when a successor ran them again", evidence.divergences));
  }
  return findings;
}

Findings judge_frames(const Evidence& evidence) {
  const FrameHistory& history = evidence.history;
  Findings findings;
  findings.different = history.different() + evidence.replay.divergences;
  if (history.different() != 0) {
    findings.problem(fmt::format("{} frames were another time decided otherwise, or gave something else", history.different()));
  }
  if (evidence.replay.divergences != 0) {
    findings.problem(fmt::format("{} frames gave other outputs in the arena than in the replay", evidence.replay.divergences));
  }
  if (history.gaps() != 0) findings.problem(fmt::format("{} times frames were missing in the frame log", history.gaps()));
  if (history.last() == 0) findings.problem("no frame was seen");
  if (evidence.replay.last_frame != history.last()) {
    findings.problem(fmt::format("{} frames were seen, and the replay came to {}", history.last(), evidence.replay.last_frame));
  }
  return findings;
}

Findings judge_ending(const Evidence& evidence, const Expected& expected) {
  Findings findings;
  if (evidence.replay.outputs_counted != expected.records.size()) {
    findings.problem(
        fmt::format("the replay counted {} outputs and wrote {}", evidence.replay.outputs_counted, expected.records.size()));
  }
  if (evidence.ending == Ending::stopped) return findings;
  const bool finished = !expected.records.empty() && expected.records.back().header.type == evidence.finishing_type;
  if (!finished) findings.problem("arenad says that the match is over, its frames do not");
  return findings;
}

Findings prefixed(Findings findings, const std::string& prefix) {
  for (std::string& problem : findings.problems) problem = prefix + ": " + problem;
  return findings;
}

}  // namespace

bool Audience::has(const RecordHeader& output) const {
  if (output.sequence < from_sequence) return false;
  return role == Role::observer || output.party == 0 || (output.party >> seat & 1) != 0;
}

Findings compare_outputs(std::span<const RecordView> expected, const Audience& audience, std::span<const RecordView> received) {
  Findings findings;
  size_t next = 0;
  uint64_t last_sequence = 0;
  for (const RecordView& output : received) {
    const uint64_t sequence = output.header.sequence;
    if (sequence <= last_sequence) {
      if (findings.repeated++ == 0) findings.problem(fmt::format("output {} came again after {}", sequence, last_sequence));
      continue;
    }
    last_sequence = sequence;
    for (; next < expected.size() && expected[next].header.sequence < sequence; ++next) {
      if (!audience.has(expected[next].header)) continue;
      if (findings.missing++ == 0) findings.problem(fmt::format("output {} is missing", expected[next].header.sequence));
    }
    const bool known = next < expected.size() && expected[next].header.sequence == sequence;
    if (!known || !audience.has(expected[next].header) || !output.same_as(expected[next])) {
      if (findings.different++ == 0)
        findings.problem(fmt::format("output {} is not that of the run without a crash", sequence));
    }
    if (known) ++next;
  }
  for (; next < expected.size(); ++next) {
    if (!audience.has(expected[next].header)) continue;
    if (findings.missing++ == 0) findings.problem(fmt::format("output {} is missing", expected[next].header.sequence));
  }
  return findings;
}

uint64_t count_untaken(std::span<const RecordView> sent, uint64_t taken) {
  uint64_t end = 0;
  uint64_t untaken = 0;
  for (const RecordView& event : sent) {
    end += event.header.bytes;
    if (end > taken) ++untaken;
  }
  return untaken;
}

Findings judge(const Evidence& evidence) {
  Findings findings = judge_frames(evidence);
  const Expected expected = take_expected(evidence, findings);
  uint64_t taken_events = 0;
  for (const ClientLog& client : evidence.clients) {
    findings += prefixed(judge_client(evidence, expected, client, taken_events), name_of(client));
  }
  findings += judge_counters(evidence, taken_events);
  findings += judge_ending(evidence, expected);
  return prefixed(std::move(findings), evidence.arena);
}

}  // namespace arenad::chaos
