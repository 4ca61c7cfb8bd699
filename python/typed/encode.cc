#include "python/typed/encode.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <capnp/any.h>
#include <kj/exception.h>

#include "arenad/message.h"

namespace arenad::typed {
namespace {

constexpr size_t kFirstScratchWords = 4096;
constexpr size_t kMaxScratchWords = size_t{1} << 27;
constexpr size_t kFewDataWords = 16;
constexpr Py_ssize_t kFewElements = 4;

// A Python exception is set.
struct Failed {};

void require(bool fine) {
  if (!fine) throw Failed{};
}

template <class Number>
uint64_t bits_of_number(Number value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

uint64_t enumerant_number(const EnumType& type, PyObject* member) {
  for (size_t i = 0; i < type.members.size(); ++i) {
    if (type.members[i] == member) return i;
  }
  // One that only a later schema knows, as it was read.
  const unsigned long number = PyLong_AsUnsignedLong(member);
  require(PyErr_Occurred() == nullptr);
  return number;
}

// In the lowest bits. The value has been checked when it was assigned.
uint64_t bits_of_value(const Type& type, PyObject* value) {
  switch (type.kind) {
    case Kind::boolean:
      return value == Py_True ? 1 : 0;
    case Kind::float32:
      return bits_of_number(static_cast<float>(PyFloat_AsDouble(value)));
    case Kind::float64:
      return bits_of_number(PyFloat_AsDouble(value));
    case Kind::enumeration:
      return enumerant_number(*type.enumeration, value);
    case Kind::uint64: {
      const uint64_t number = PyLong_AsUnsignedLongLong(value);
      require(number != UINT64_MAX || PyErr_Occurred() == nullptr);
      return number;
    }
    case Kind::int8:
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
    case Kind::uint8:
    case Kind::uint16:
    case Kind::uint32: {
      const long long number = PyLong_AsLongLong(value);
      require(number != -1 || PyErr_Occurred() == nullptr);
      return static_cast<uint64_t>(number) & (UINT64_MAX >> (64 - bits_of(type.kind)));
    }
    default:
      return 0;
  }
}

// A data section before it is known how much of it is needed.
class DataSection {
 public:
  explicit DataSection(size_t words) : many_(words > kFewDataWords ? words : 0) {}
  void put(const Field& field, uint64_t bits) {
    const unsigned width = bits_of(field.type.kind);
    if (width == 0) return;
    bits ^= field.default_bits;
    put(field.offset, width, bits);
  }
  void put(uint32_t offset, unsigned width, uint64_t bits) {
    const uint64_t at = uint64_t{offset} * width;
    const uint64_t mask = UINT64_MAX >> (64 - width);
    word(at / 64) |= (bits & mask) << (at % 64);
    if ((bits & mask) != 0) used_ = std::max<size_t>(used_, at / 64 + 1);
  }
  [[nodiscard]] size_t used() const { return used_; }
  [[nodiscard]] const uint64_t* words() const { return many_.empty() ? few_.data() : many_.data(); }

 private:
  uint64_t& word(size_t at) { return many_.empty() ? few_[at] : many_[at]; }

  std::array<uint64_t, kFewDataWords> few_{};
  std::vector<uint64_t> many_;
  size_t used_ = 0;
};

// As deep as who reads it may go (bounded_reader_options()): a struct or a list in another one is a level.
constexpr int kMaxLevels = 32;
int level = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): the interpreter lock guards it

class Level {
 public:
  explicit Level(const std::string& what) {
    if (level == kMaxLevels) {
      PyErr_Format(PyExc_ValueError, "%s lies deeper in what is written than the %d levels that can be read again",
                   what.c_str(), kMaxLevels);
      throw Failed{};
    }
    ++level;
  }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { --level; }
};

uint32_t walk = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): the interpreter lock guards it

template <class Object>
void meet(Object* object, const char* what) {
  if (object->mark == walk) {
    PyErr_Format(PyExc_ValueError,
                 "the same %s is in two places of what is written, and would be two when it is read again: give one of them a "
                 "copy (copy.copy())",
                 what);
    throw Failed{};
  }
  object->mark = walk;
}

bool is_empty_list(PyObject* list) {
  return PyList_GET_SIZE(list) == 0;
}

struct Shape {
  size_t data_words = 0;
  size_t pointers = 0;
};

// Whether a pointer to it has to be written.
bool has_pointer(const Field& field, PyObject* value);

void fill_data(const StructType& type, const ValueObject* value, DataSection& data) {
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    PyObject* const one = value->fields[i];
    if (one == nullptr || is_pointer(field.type.kind)) continue;
    if (field.type.kind == Kind::group) {
      fill_data(*field.type.structure, as_value(one), data);
    } else {
      data.put(field, bits_of_value(field.type, one));
    }
  }
  if (type.union_count != 0) data.put(type.union_offset, 16, value->which);
}

size_t pointers_needed(const StructType& type, const ValueObject* value) {
  size_t needed = 0;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    PyObject* const one = value->fields[i];
    if (one == nullptr) continue;
    if (field.type.kind == Kind::group) {
      needed = std::max(needed, pointers_needed(*field.type.structure, as_value(one)));
    } else if (is_pointer(field.type.kind) && has_pointer(field, one)) {
      needed = std::max<size_t>(needed, field.offset + 1);
    }
  }
  return needed;
}

bool is_default(const StructType& type, const ValueObject* value) {
  if (pointers_needed(type, value) != 0) return false;
  DataSection data(type.data_words);
  fill_data(type, value, data);
  return data.used() == 0;
}

bool has_pointer(const Field& field, PyObject* value) {
  switch (field.type.kind) {
    case Kind::text: {
      Py_ssize_t bytes = 0;
      const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
      require(text != nullptr);
      return std::string_view(text, static_cast<size_t>(bytes)) != field.default_bytes;
    }
    case Kind::data:
      return std::string_view(PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value))) != field.default_bytes;
    case Kind::list:
      return !is_empty_list(value);
    default:
      // None is no struct, and one with all its defaults is one: they are told apart where both can be.
      return value != Py_None && (field.closes_a_cycle || !is_default(*field.type.structure, as_value(value)));
  }
}

void write_pointer(const Type& type, PyObject* value, capnp::AnyPointer::Builder to);

void write_struct(const StructType& type, ValueObject* value, const DataSection& data, capnp::AnyStruct::Builder to);

void write_pointers(const StructType& type, ValueObject* value, capnp::List<capnp::AnyPointer>::Builder to) {
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    PyObject* const one = value->fields[i];
    if (one == nullptr) continue;
    if (field.type.kind == Kind::group) {
      meet(as_value(one), field.type.name.c_str());
      write_pointers(*field.type.structure, as_value(one), to);
    } else if (is_pointer(field.type.kind)) {
      if (has_pointer(field, one)) {
        write_pointer(field.type, one, to[field.offset]);
      } else if (field.type.kind == Kind::structure && one != Py_None) {
        meet(as_value(one), field.type.name.c_str());
      } else if (field.type.kind == Kind::list) {
        meet(as_list(one), field.where.c_str());
      }
    }
  }
}

void write_struct(const StructType& type, ValueObject* value, const DataSection& data, capnp::AnyStruct::Builder to) {
  std::memcpy(to.getDataSection().begin(), data.words(), data.used() * sizeof(uint64_t));
  write_pointers(type, value, to.getPointerSection());
}

void write_root(const StructType& type, ValueObject* value, capnp::AnyPointer::Builder to) {
  const Level deeper(type.name);
  meet(value, type.name.c_str());
  DataSection data(type.data_words);
  fill_data(type, value, data);
  write_struct(type, value, data,
               to.initAsAnyStruct(static_cast<uint16_t>(data.used()), static_cast<uint16_t>(pointers_needed(type, value))));
}

// All elements have the size of the largest.
void write_structs(const StructType& type, PyObject* list, capnp::AnyPointer::Builder to) {
  const Py_ssize_t count = PyList_GET_SIZE(list);
  std::vector<DataSection> sections;
  sections.reserve(static_cast<size_t>(count));
  Shape shape;
  for (Py_ssize_t i = 0; i < count; ++i) {
    ValueObject* element = as_value(PyList_GET_ITEM(list, i));
    fill_data(type, element, sections.emplace_back(type.data_words));
    shape.data_words = std::max(shape.data_words, sections.back().used());
    shape.pointers = std::max(shape.pointers, pointers_needed(type, element));
  }
  // Elements without words count as words for who reads them (libcapnp's bound against amplification): many of them are given one.
  if (shape.data_words == 0 && shape.pointers == 0 && count > kFewElements) shape.data_words = 1;
  auto built = to.initAsListOfAnyStruct(static_cast<uint16_t>(shape.data_words), static_cast<uint16_t>(shape.pointers),
                                        static_cast<unsigned>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    ValueObject* element = as_value(PyList_GET_ITEM(list, i));
    const Level deeper(type.name);
    meet(element, type.name.c_str());
    write_struct(type, element, sections[static_cast<size_t>(i)], built[static_cast<unsigned>(i)]);
  }
}

template <class Number>
void write_numbers_as(const Type& element, PyObject* list, capnp::AnyPointer::Builder to) {
  auto built = to.initAs<capnp::List<Number>>(static_cast<unsigned>(PyList_GET_SIZE(list)));
  for (unsigned i = 0; i < built.size(); ++i)
    built.set(i, static_cast<Number>(bits_of_value(element, PyList_GET_ITEM(list, i))));
}

// By width: signs and fractions are in the bits.
void write_numbers(const Type& element, PyObject* list, capnp::AnyPointer::Builder to) {
  switch (bits_of(element.kind)) {
    case 0:
      to.initAs<capnp::List<capnp::Void>>(static_cast<unsigned>(PyList_GET_SIZE(list)));
      return;
    case 1:
      return write_numbers_as<bool>(element, list, to);
    case 8:
      return write_numbers_as<uint8_t>(element, list, to);
    case 16:
      return write_numbers_as<uint16_t>(element, list, to);
    case 32:
      return write_numbers_as<uint32_t>(element, list, to);
    default:
      return write_numbers_as<uint64_t>(element, list, to);
  }
}

void write_list(const Type& type, PyObject* list, capnp::AnyPointer::Builder to) {
  const Level deeper(*as_list(list)->where);
  meet(as_list(list), as_list(list)->where->c_str());
  const Type& element = *type.element;
  // Whoever calls list.append(it, ...) instead of it.append(...) gets round the checks.
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject* same = checked(element, PyList_GET_ITEM(list, i), *as_list(list)->where);
    const bool unchanged = same == PyList_GET_ITEM(list, i);
    Py_XDECREF(same);
    require(same != nullptr);
    if (unchanged || !is_pointer(element.kind)) continue;
    PyErr_Format(PyExc_TypeError, "%s has an element that was not put in by its own methods", as_list(list)->where->c_str());
    throw Failed{};
  }
  if (element.kind == Kind::structure) return write_structs(*element.structure, list, to);
  if (!is_pointer(element.kind)) return write_numbers(element, list, to);
  auto built = to.initAsAnyList(capnp::ElementSize::POINTER, static_cast<unsigned>(PyList_GET_SIZE(list)))
                   .as<capnp::List<capnp::AnyPointer>>();
  for (unsigned i = 0; i < built.size(); ++i) write_pointer(element, PyList_GET_ITEM(list, i), built[i]);
}

void write_pointer(const Type& type, PyObject* value, capnp::AnyPointer::Builder to) {
  switch (type.kind) {
    case Kind::text: {
      Py_ssize_t bytes = 0;
      const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
      require(text != nullptr);
      to.setAs<capnp::Text>(capnp::Text::Reader(text, static_cast<size_t>(bytes)));
      return;
    }
    case Kind::data:
      to.setAs<capnp::Data>(capnp::Data::Reader(reinterpret_cast<const capnp::byte*>(PyBytes_AS_STRING(value)),
                                                static_cast<size_t>(PyBytes_GET_SIZE(value))));
      return;
    case Kind::list:
      return write_list(type, value, to);
    default:
      return write_root(*type.structure, as_value(value), to);
  }
}

// The words used; 0: they do not suffice.
size_t write_message(ValueObject* value, std::span<uint64_t> words) {
  ++walk;
  InPlaceBuilder message(words.data(), words.size());
  write_root(*value->type, value, message.initRoot<capnp::AnyPointer>());
  return message.fits() ? message.used_words() : 0;
}

std::vector<uint64_t>& scratch() {
  static std::vector<uint64_t> words(kFirstScratchWords);
  return words;
}

}  // namespace

size_t encode_into(ValueObject* value, std::span<uint64_t> words) {
  try {
    return write_message(value, words);
  } catch (const Failed&) {
  } catch (const kj::Exception& e) {
    PyErr_SetString(PyExc_ValueError, e.getDescription().cStr());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return 0;
}

std::span<const uint64_t> encode(ValueObject* value) {
  static size_t dirty = 0;
  std::vector<uint64_t>& words = scratch();
  for (;;) {
    std::fill_n(words.begin(), dirty, 0);
    dirty = words.size();  // if it fails, it may have written anywhere
    const size_t used = encode_into(value, words);
    if (used != 0) {
      dirty = used;
      return {words.data(), used};
    }
    if (PyErr_Occurred() != nullptr) return {};
    if (words.size() >= kMaxScratchWords) {
      PyErr_Format(PyExc_ValueError, "%s is larger than a message can be", value->type->name.c_str());
      return {};
    }
    words.assign(words.size() * 4, 0);
    dirty = 0;
  }
}

}  // namespace arenad::typed
