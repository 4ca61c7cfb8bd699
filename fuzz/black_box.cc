// What a worker has left of its end (ipc/black_box_layout.h), and what arenad makes of it: its reader, its judgement, its report.
#include "arenad/message.h"
#include "fuzz/harness.h"
#include "fuzz/regions.h"
#include "ipc/crash.capnp.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/crash_report.h"
#include "supervisor/crash_signature.h"

namespace arenad::fuzz {
namespace {

bool is_one_line(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= ' ' && c != 0x7F; });
}

void check(const std::vector<TracedFrame>& stack) {
  ARENAD_ASSERT(stack.size() <= kStackDepth);
  for (const TracedFrame& frame : stack) {
    ARENAD_ASSERT(is_one_line(frame.object) && frame.build_id.size() <= 2 * sizeof MappedObject::build_id);
  }
}

void check(const ScriptTrace& script) {
  ARENAD_ASSERT(script.lines.size() <= limits::kMaxScriptLines);
  for (const std::string& line : script.lines) ARENAD_ASSERT(!line.empty() && is_one_line(line));
}

void check(const IncidentRecord& record) {
  ARENAD_ASSERT(record.report.size() <= limits::kMaxIncidentReportBytes && record.report.size() % 8 == 0);
  const auto words = words_of(record.report);
  MessageView view(words.data(), words.size());
  ARENAD_ASSERT(view.root<wire::Crash>().getIncident().getId() == 7);
}

struct Region {
  Region()
      : incarnation([] {
          IncarnationSizes sizes;
          sizes.slot_bytes = kPageBytes;
          auto made = Incarnation::create(sizes);
          ARENAD_ASSERT(made);
          return std::move(made.value());
        }()),
        view([this] {
          auto fd = incarnation.fd().duplicate();
          auto mapped = IncarnationView::map(std::move(fd.value()));
          ARENAD_ASSERT(mapped);
          return std::move(mapped.value());
        }()) {}
  Incarnation incarnation;
  IncarnationView view;
};

void run(std::string_view input) {
  static Region region;
  Source source(input);
  DeathFacts facts;
  facts.exit = {static_cast<Exit::How>(source.number<uint8_t>() % 3), source.number<int8_t>()};
  facts.memory = static_cast<DeathFacts::Memory>(source.number<uint8_t>() % 3);
  facts.pid = 4711;
  // The script notes, both of the same bytes, lie behind the box.
  const std::string_view rest = source.rest();
  const std::string_view box = rest.substr(0, kBlackBoxBytes);
  const std::string_view script = rest.substr(box.size()).substr(0, sizeof(ScriptText));
  ScriptNotes& scripts = region.incarnation.script_notes();
  for (ScriptText* text : {&scripts.death, &scripts.slow}) {
    if (!script.empty()) std::memcpy(reinterpret_cast<char*>(text), script.data(), script.size());
  }
  auto* at = reinterpret_cast<char*>(&region.incarnation.black_box());
  if (!box.empty()) std::memcpy(at, box.data(), box.size());

  facts.note = read_end_note(region.view);
  check(facts.note.stack);
  ARENAD_ASSERT(is_one_line(facts.note.reason));
  check(facts.note.script);
  const Death death = judge_death(facts);
  ARENAD_ASSERT(!death.cause.empty() && is_one_line(death.cause) && is_one_line(crash_signature(death, facts)));
  IncidentScene scene;
  scene.id = 7;
  scene.arena = {1, 2};
  check(report_of_death(scene, death, facts));
  if (const auto slow = read_slow_frame(region.view, 1)) {
    ARENAD_ASSERT(slow->number > 1);
    check(slow->stack);
    check(slow->script);
    check(report_of_slow_frame(scene, *slow));
  }
  ARENAD_ASSERT(build_id_of(region.view, "/usr/lib/tanks.so").size() <= 2 * sizeof MappedObject::build_id);
  std::memset(at, 0, box.size());
  std::memset(reinterpret_cast<char*>(&scripts), 0, sizeof scripts);
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  BlackBox box{};
  box.death.written = 2;
  box.death.kind = EndKind::signal;
  box.death.signal = 11;
  box.death.code = 1;
  box.death.stack.depth = 2;
  box.death.stack.addresses[0] = 0x1100;
  box.slow.written = 3;
  box.slow.stack.depth = 1;
  box.slow.stack.addresses[0] = 0x1200;
  box.object_count = 1;
  box.objects[0] = {0x1000, 0x2000, 0x800, 4, {1, 2, 3, 4}, "tanks.so"};
  std::strcpy(box.reason, "why");
  const std::string whole(reinterpret_cast<const char*>(&box), sizeof box);
  for (const uint8_t how : {0, 1, 2}) {
    seeds.push_back(Input().number(how).number(int8_t{11}).number(uint8_t{0}).bytes(whole.substr(0, 1200)).text());
  }
  // With the reason, which comes last.
  seeds.push_back(Input().number(uint8_t{1}).number(int8_t{3}).number(uint8_t{1}).bytes(whole).text());
  // With what a script says, of its death and of the slow frame 3.
  for (const uint64_t number : {1, 3}) {
    const std::string lines = "native code, without the interpreter's lock\ntick (battle.py:31)\n";
    ScriptText script{};
    script.written = number;
    script.source = static_cast<uint32_t>(number == 1 ? ScriptSource::error : ScriptSource::stack);
    script.bytes = static_cast<uint32_t>(lines.size());
    std::memcpy(script.text, lines.data(), lines.size());
    const std::string noted(reinterpret_cast<const char*>(&script), offsetof(ScriptText, text) + lines.size());
    seeds.push_back(Input().number(uint8_t{1}).number(int8_t{3}).number(uint8_t{1}).bytes(whole + noted).text());
  }
  return seeds;
}

}  // namespace

extern const Harness black_box_harness;
const Harness black_box_harness{run, seeds, {}, 10400};

}  // namespace arenad::fuzz
