// A message as an object of Python (python/typed): events of clients, and states of other versions of a game, in every kind of field that a schema can have.
#include <array>
#include <fstream>
#include <iterator>
#include <memory>

#include "fuzz/harness.h"
#include "python/typed/encode.h"
#include "python/typed/module.h"
#include "python/typed/reader.h"
#include "python/typed/value.h"

namespace arenad::fuzz {
namespace {

struct Dropped {
  void operator()(PyObject* object) const { Py_DECREF(object); }
};
using Object = std::unique_ptr<PyObject, Dropped>;

// The classes of tests/python/everything/everything.capnp, once in the process.
class Classes {
 public:
  Classes() {
    start_python();
    std::ifstream file(ARENAD_FUZZ_EVERYTHING, std::ios::binary);
    const std::string compiled((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    module_.reset(PyImport_ImportModule("_arenad"));
    ARENAD_ASSERT(module_ != nullptr);
    const Object names(PyObject_CallMethod(module_.get(), "load_schema", "y#s", compiled.data(),
                                           static_cast<Py_ssize_t>(compiled.size()), "everything"));
    ARENAD_ASSERT(names != nullptr);
    for (size_t i = 0; i < kNames.size(); ++i) {
      types_[i] = typed::struct_type(PyDict_GetItemString(names.get(), kNames[i]));
      ARENAD_ASSERT(types_[i] != nullptr);
    }
  }
  [[nodiscard]] const typed::StructType& at(size_t choice) const { return *types_[choice % types_.size()]; }

  static constexpr std::array kNames{"Numbers", "Defaults", "Lists", "Choice", "Grouped", "Tree", "Outer"};

 private:
  static void start_python() {
    PyPreConfig early;
    PyPreConfig_InitIsolatedConfig(&early);
    early.allocator = PYMEM_ALLOCATOR_MALLOC;  // where a sanitizer sees it
    early.utf8_mode = 1;
    ARENAD_ASSERT(PyStatus_Exception(Py_PreInitialize(&early)) == 0);
    PyImport_AppendInittab("_arenad", typed::init_module);
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    config.install_signal_handlers = 0;
    const bool started = PyStatus_Exception(PyConfig_SetBytesString(&config, &config.home, ARENAD_PYTHON_HOME)) == 0 &&
                         PyStatus_Exception(Py_InitializeFromConfig(&config)) == 0;
    PyConfig_Clear(&config);
    ARENAD_ASSERT(started);
  }

  Object module_;
  std::array<const typed::StructType*, kNames.size()> types_{};
};

const Classes& classes() {
  static const auto* all = new Classes;  // as long as the process, as Python is
  return *all;
}

// What was refused has a reason, which is a game's to catch.
void refused() {
  ARENAD_ASSERT(PyErr_ExceptionMatches(PyExc_ValueError) != 0);
  PyErr_Clear();
}

std::vector<uint64_t> encoded(PyObject* value) {
  const auto words = typed::encode(typed::as_value(value));
  return {words.begin(), words.end()};
}

void run(std::string_view input) {
  Source source(input);
  const typed::StructType& type = classes().at(source.number<uint8_t>());
  const Object reader(typed::new_reader(type, words_of(source.rest())));
  if (reader == nullptr) return refused();
  // Reads every field, as a game might.
  if (const Object text(PyObject_Repr(reader.get())); text == nullptr) refused();
  const Object value(typed::thawed(reader.get()));
  if (value == nullptr) return refused();
  const std::vector<uint64_t> words = encoded(value.get());
  if (words.empty()) return refused();
  // What was read is written, and is the same when it is read and written again.
  const Object again(typed::thawed(type, words));
  ARENAD_ASSERT(again != nullptr);
  ARENAD_ASSERT(encoded(again.get()) == words);
}

std::string seed(size_t choice, std::initializer_list<uint64_t> words) {
  Input input;
  input.number(static_cast<uint8_t>(choice));
  for (const uint64_t word : words) input.number(word);
  return input.text();
}

// Word by word, after capnproto.org/encoding.html: a root pointer, and what it leads to.
std::vector<std::string> seeds() {
  constexpr uint64_t kOne = uint64_t{1} << 32;  // a data section of one word; pointers are counted from bit 48 on
  constexpr uint64_t kOnePointer = uint64_t{1} << 48;
  return {seed(0, {6 * kOne, 0x0102030405060708, 7, 0x8000000000000000, 1, 0x3FF0000000000000, 1}), seed(1, {0}),
          // texts: a list of two pointers to texts of two bytes
          seed(2, {9 * kOnePointer, 0, 0, 0, 0, 0, (3 << 2) | 1 | (22ull << 32), 0, 0, 0, (1 << 2) | 1 | (18ull << 32), 0x61}),
          // structs: a tag and two elements of a word and a pointer
          seed(2, {9 * kOnePointer, 0, 0, 0, 0, 0, 0, 0, (1 << 2) | 1 | (39ull << 32), 0, (2 << 2) | kOne | kOnePointer, 1, 0,
                   2, 0}),
          // nested: a list of two lists of numbers
          seed(2, {9 * kOnePointer, 0, 0, 0, 0, 0, 0, 0, 0, 1 | (22ull << 32), (1 << 2) | 1 | (19ull << 32), 0, 0x0002'0001}),
          seed(3, {2 * kOne + kOnePointer, 0x0000000500010001, 0, 0}),
          seed(3, {2 * kOne + kOnePointer, 0x20001, 0, 1 | (18ull << 32), 0x78}),
          seed(4, {3 * kOne + kOnePointer, 0x3FF0000000000000, 0, 3, 1 | (18ull << 32), 0x78}),
          seed(5, {kOne + 2 * kOnePointer, 1, (1 << 2) | kOne | 2 * kOnePointer, 0, 2, 0, 0}),
          seed(6, {kOne + kOnePointer, 0x0000'0002'0001'0001, kOne, 9})};
}

}  // namespace

extern const Harness typed_message_harness;
const Harness typed_message_harness{run, seeds, {}, 1024};

}  // namespace arenad::fuzz
