#include "python/typed/reader.h"

#include <array>
#include <cstring>
#include <memory>
#include <new>

#include <capnp/dynamic.h>
#include <kj/exception.h>

#include "arenad/message.h"
#include "arenad/message_check.h"
#include "python/typed/value.h"

namespace arenad::typed {
namespace {

// ---- the message ---------------------------------------------------------------------------------------------------------

// Python's memory is aligned as words are.
struct MessageObject {
  PyObject_HEAD MessageView* view;  // nullptr: a flat one, which is read without
  Py_ssize_t word_count;
  uint64_t words[1];
};

void deallocate_message(PyObject* self) {
  delete reinterpret_cast<MessageObject*>(self)->view;
  PyObject_Free(self);
}

PyTypeObject message_type = [] {
  PyTypeObject type{PyVarObject_HEAD_INIT(nullptr, 0)};
  type.tp_name = "arenad.Message";
  type.tp_basicsize = sizeof(MessageObject);
  type.tp_dealloc = deallocate_message;
  type.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION;
  return type;
}();

MessageObject* new_message(std::span<const uint64_t> words) {
  const size_t bytes = sizeof(MessageObject) + words.size_bytes();
  auto* message = static_cast<MessageObject*>(PyObject_Malloc(bytes));
  if (message == nullptr) {
    PyErr_NoMemory();
    return nullptr;
  }
  PyObject_Init(reinterpret_cast<PyObject*>(message), &message_type);
  message->view = nullptr;
  message->word_count = static_cast<Py_ssize_t>(words.size());
  if (!words.empty()) std::memcpy(message->words, words.data(), words.size_bytes());
  return message;
}

// ---- structs -------------------------------------------------------------------------------------------------------------

struct ReaderObject {
  PyObject_HEAD const StructType* type;
  MessageObject* message;
  const uint8_t* data;
  uint32_t data_bytes;
  capnp::List<capnp::AnyPointer>::Reader pointers;
};

struct ListReaderObject {
  PyObject_HEAD const Type* type;  // of the list
  MessageObject* message;
  Py_ssize_t size;
  capnp::AnyPointer::Reader pointer;
};

ReaderObject* as_reader(PyObject* object) {
  return reinterpret_cast<ReaderObject*>(object);
}
ListReaderObject* as_list_reader(PyObject* object) {
  return reinterpret_cast<ListReaderObject*>(object);
}
PyTypeObject* list_reader_type();

template <class Number>
Number number_in(const uint8_t* data, uint32_t data_bytes, uint32_t offset, uint64_t default_bits) {
  Number value{};
  const size_t at = size_t{offset} * sizeof(Number);
  if (at + sizeof(Number) <= data_bytes) std::memcpy(&value, data + at, sizeof value);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits ^= default_bits;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

PyObject* enumerant(const EnumType& type, uint16_t value) {
  // One that only a later schema knows is its number.
  return value < type.members.size() ? Py_NewRef(type.members[value]) : PyLong_FromUnsignedLong(value);
}

// A number, out of a data section of any size: what lies behind its end is the default.
PyObject* number_of(const Type& type, const uint8_t* data, uint32_t data_bytes, uint32_t offset, uint64_t default_bits) {
  switch (type.kind) {
    case Kind::boolean: {
      const bool bit = offset / 8 < data_bytes && (data[offset / 8] >> (offset % 8) & 1) != 0;
      return PyBool_FromLong(bit != (default_bits != 0));
    }
    case Kind::int8:
      return PyLong_FromLong(number_in<int8_t>(data, data_bytes, offset, default_bits));
    case Kind::int16:
      return PyLong_FromLong(number_in<int16_t>(data, data_bytes, offset, default_bits));
    case Kind::int32:
      return PyLong_FromLong(number_in<int32_t>(data, data_bytes, offset, default_bits));
    case Kind::int64:
      return PyLong_FromLongLong(number_in<int64_t>(data, data_bytes, offset, default_bits));
    case Kind::uint8:
      return PyLong_FromLong(number_in<uint8_t>(data, data_bytes, offset, default_bits));
    case Kind::uint16:
      return PyLong_FromLong(number_in<uint16_t>(data, data_bytes, offset, default_bits));
    case Kind::uint32:
      return PyLong_FromUnsignedLong(number_in<uint32_t>(data, data_bytes, offset, default_bits));
    case Kind::uint64:
      return PyLong_FromUnsignedLongLong(number_in<uint64_t>(data, data_bytes, offset, default_bits));
    case Kind::float32:
      return PyFloat_FromDouble(number_in<float>(data, data_bytes, offset, default_bits));
    case Kind::float64:
      return PyFloat_FromDouble(number_in<double>(data, data_bytes, offset, default_bits));
    case Kind::enumeration:
      return enumerant(*type.enumeration, number_in<uint16_t>(data, data_bytes, offset, default_bits));
    default:
      Py_RETURN_NONE;
  }
}

PyObject* text_object(capnp::Text::Reader text) {
  return PyUnicode_DecodeUTF8(text.begin(), static_cast<Py_ssize_t>(text.size()), "replace");
}

PyObject* data_object(capnp::Data::Reader data) {
  return PyBytes_FromStringAndSize(data.asChars().begin(), static_cast<Py_ssize_t>(data.size()));
}

template <class T>
struct ListTag {
  using List = T;
};

template <class List>
typename List::Reader list_at(capnp::AnyPointer::Reader pointer) {
  if constexpr (std::is_same_v<List, capnp::List<capnp::AnyStruct>> || std::is_same_v<List, capnp::List<capnp::AnyPointer>>) {
    return pointer.getAs<capnp::AnyList>().as<List>();
  } else {
    return pointer.getAs<List>();
  }
}

// Calls with the tag of List<...> of the C++ type that has these elements.
template <class Call>
auto with_list(const Type& element, Call&& call) {
  switch (element.kind) {
    case Kind::boolean:
      return call(ListTag<capnp::List<bool>>());
    case Kind::int8:
      return call(ListTag<capnp::List<int8_t>>());
    case Kind::int16:
      return call(ListTag<capnp::List<int16_t>>());
    case Kind::int32:
      return call(ListTag<capnp::List<int32_t>>());
    case Kind::int64:
      return call(ListTag<capnp::List<int64_t>>());
    case Kind::uint8:
      return call(ListTag<capnp::List<uint8_t>>());
    case Kind::uint16:
    case Kind::enumeration:
      return call(ListTag<capnp::List<uint16_t>>());
    case Kind::uint32:
      return call(ListTag<capnp::List<uint32_t>>());
    case Kind::uint64:
      return call(ListTag<capnp::List<uint64_t>>());
    case Kind::float32:
      return call(ListTag<capnp::List<float>>());
    case Kind::float64:
      return call(ListTag<capnp::List<double>>());
    case Kind::structure:
      return call(ListTag<capnp::List<capnp::AnyStruct>>());
    case Kind::nothing:
      return call(ListTag<capnp::List<capnp::Void>>());
    default:
      return call(ListTag<capnp::List<capnp::AnyPointer>>());
  }
}

PyObject* reader_of_struct(const StructType& type, MessageObject* message, capnp::AnyStruct::Reader from);
PyObject* reader_of_pointer(const Type& type, MessageObject* message, capnp::AnyPointer::Reader from);

template <class List>
PyObject* element_of_list(const Type& element, MessageObject* message, typename List::Reader list, unsigned at) {
  using Element = decltype(list[at]);
  if constexpr (std::is_same_v<List, capnp::List<bool>>) {
    return PyBool_FromLong(list[at] ? 1 : 0);
  } else if constexpr (std::is_floating_point_v<Element>) {
    return PyFloat_FromDouble(list[at]);
  } else if constexpr (std::is_same_v<Element, uint16_t>) {
    return element.kind == Kind::enumeration ? enumerant(*element.enumeration, list[at]) : PyLong_FromLong(list[at]);
  } else if constexpr (std::is_unsigned_v<Element>) {
    return PyLong_FromUnsignedLongLong(list[at]);
  } else if constexpr (std::is_integral_v<Element>) {
    return PyLong_FromLongLong(list[at]);
  } else if constexpr (std::is_same_v<Element, capnp::AnyStruct::Reader>) {
    return reader_of_struct(*element.structure, message, list[at]);
  } else if constexpr (std::is_same_v<Element, capnp::AnyPointer::Reader>) {
    return reader_of_pointer(element, message, list[at]);
  } else {
    Py_RETURN_NONE;
  }
}

PyObject* reader_of_list(const Type& type, MessageObject* message, capnp::AnyPointer::Reader from) {
  auto* made = as_list_reader(list_reader_type()->tp_alloc(list_reader_type(), 0));
  if (made == nullptr) return nullptr;
  made->type = &type;
  made->message = message;
  Py_INCREF(message);
  new (&made->pointer) capnp::AnyPointer::Reader(from);
  made->size = with_list(*type.element,
                         [&](auto tag) { return static_cast<Py_ssize_t>(list_at<typename decltype(tag)::List>(from).size()); });
  return reinterpret_cast<PyObject*>(made);
}

PyObject* reader_of_pointer(const Type& type, MessageObject* message, capnp::AnyPointer::Reader from) {
  switch (type.kind) {
    case Kind::text:
      return text_object(from.getAs<capnp::Text>());
    case Kind::data:
      return data_object(from.getAs<capnp::Data>());
    case Kind::list:
      return reader_of_list(type, message, from);
    default:
      return reader_of_struct(*type.structure, message, from.getAs<capnp::AnyStruct>());
  }
}

PyObject* reader_of_parts(const StructType& type, MessageObject* message, const uint8_t* data, uint32_t data_bytes,
                          capnp::List<capnp::AnyPointer>::Reader pointers) {
  auto* made = as_reader(type.reader_type->tp_alloc(type.reader_type, 0));
  if (made == nullptr) return nullptr;
  made->type = &type;
  made->message = message;
  Py_INCREF(message);
  made->data = data;
  made->data_bytes = data_bytes;
  new (&made->pointers) capnp::List<capnp::AnyPointer>::Reader(pointers);
  return reinterpret_cast<PyObject*>(made);
}

PyObject* reader_of_struct(const StructType& type, MessageObject* message, capnp::AnyStruct::Reader from) {
  const auto data = from.getDataSection();
  return reader_of_parts(type, message, data.begin(), static_cast<uint32_t>(data.size()), from.getPointerSection());
}

uint16_t which_of(const StructType& type, const uint8_t* data, uint32_t data_bytes) {
  return number_in<uint16_t>(data, data_bytes, type.union_offset, 0);
}

PyObject* read_field(const ReaderObject& reader, const Field& field) {
  if (field.of_union != kNoUnion && which_of(*reader.type, reader.data, reader.data_bytes) != field.of_union) {
    PyErr_Format(PyExc_AttributeError, "%s is not there: arenad.which() tells what is", field.where.c_str());
    return nullptr;
  }
  if (field.type.kind == Kind::group) {
    return reader_of_parts(*field.type.structure, reader.message, reader.data, reader.data_bytes, reader.pointers);
  }
  if (!is_pointer(field.type.kind)) {
    return number_of(field.type, reader.data, reader.data_bytes, field.offset, field.default_bits);
  }
  if (field.offset >= reader.pointers.size() || reader.pointers[field.offset].isNull()) {
    if (field.closes_a_cycle) Py_RETURN_NONE;
    if (field.type.kind == Kind::text || field.type.kind == Kind::data) return Py_NewRef(field.initial);
    return reader_of_pointer(field.type, reader.message, capnp::AnyPointer::Reader());
  }
  return reader_of_pointer(field.type, reader.message, reader.pointers[field.offset]);
}

// Cap'n Proto's exceptions as Python's. What has been looked at whole gives none but for want of memory.
template <class Call>
PyObject* guarded(Call&& call) {
  try {
    return call();
  } catch (const kj::Exception& e) {
    PyErr_SetString(PyExc_ValueError, e.getDescription().cStr());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  return nullptr;
}

PyObject* get_field(PyObject* self, void* field) {
  return guarded([&] { return read_field(*as_reader(self), *static_cast<const Field*>(field)); });
}

template <class Number, Kind kKind>
PyObject* get_number(PyObject* self, void* closure) {
  const auto& reader = *as_reader(self);
  const auto& field = *static_cast<const Field*>(closure);
  const Number value = number_in<Number>(reader.data, reader.data_bytes, field.offset, field.default_bits);
  if constexpr (kKind == Kind::enumeration) return enumerant(*field.type.enumeration, value);
  if constexpr (std::is_floating_point_v<Number>) return PyFloat_FromDouble(value);
  if constexpr (std::is_same_v<Number, uint64_t>) return PyLong_FromUnsignedLongLong(value);
  return PyLong_FromLongLong(static_cast<long long>(value));
}

// Numbers that are always there have a way of their own: they are nearly all that an event has.
getter getter_of(const Field& field) {
  if (field.of_union != kNoUnion) return get_field;
  switch (field.type.kind) {
    case Kind::int8:
      return get_number<int8_t, Kind::int8>;
    case Kind::int16:
      return get_number<int16_t, Kind::int16>;
    case Kind::int32:
      return get_number<int32_t, Kind::int32>;
    case Kind::int64:
      return get_number<int64_t, Kind::int64>;
    case Kind::uint8:
      return get_number<uint8_t, Kind::uint8>;
    case Kind::uint16:
      return get_number<uint16_t, Kind::uint16>;
    case Kind::uint32:
      return get_number<uint32_t, Kind::uint32>;
    case Kind::uint64:
      return get_number<uint64_t, Kind::uint64>;
    case Kind::float32:
      return get_number<float, Kind::float32>;
    case Kind::float64:
      return get_number<double, Kind::float64>;
    case Kind::enumeration:
      return get_number<uint16_t, Kind::enumeration>;
    default:
      return get_field;
  }
}

void deallocate_reader(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(as_reader(self)->message);
  type->tp_free(self);
  Py_DECREF(type);
}

void deallocate_list_reader(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_DECREF(as_list_reader(self)->message);
  type->tp_free(self);
  Py_DECREF(type);
}

PyObject* represent_reader(PyObject* self) {
  PyObject* value = thawed(self);
  PyObject* text = value != nullptr ? PyObject_Repr(value) : nullptr;
  Py_XDECREF(value);
  return text;
}

PyObject* thaw_method(PyObject* self, PyObject*) {
  return thawed(self);
}

// By what is in them: a reader, and another one or a struct of its class; a list, and any list.
PyObject* compare_readers(PyObject* self, PyObject* other, int operation) {
  const bool is_of_list = Py_IS_TYPE(self, list_reader_type());
  const bool are_both = Py_IS_TYPE(other, Py_TYPE(self));
  const bool is_other_value = is_of_list ? PyList_Check(other) : is_value(other, *as_reader(self)->type);
  if ((operation != Py_EQ && operation != Py_NE) || (!are_both && !is_other_value)) Py_RETURN_NOTIMPLEMENTED;
  PyObject* mine = thawed(self);
  PyObject* theirs = are_both ? thawed(other) : Py_NewRef(other);
  PyObject* same = mine != nullptr && theirs != nullptr ? PyObject_RichCompare(mine, theirs, operation) : nullptr;
  Py_XDECREF(mine);
  Py_XDECREF(theirs);
  return same;
}

int cannot_set(PyObject* self, PyObject* name, PyObject*) {
  PyErr_Format(PyExc_AttributeError, "%s.%U cannot be changed in a message; arenad.thaw() gives a copy that can be",
               as_reader(self)->type->name.c_str(), name);
  return -1;
}

// ---- lists ---------------------------------------------------------------------------------------------------------------

Py_ssize_t list_size(PyObject* self) {
  return as_list_reader(self)->size;
}

PyObject* list_item(PyObject* self, Py_ssize_t at) {
  const ListReaderObject& reader = *as_list_reader(self);
  if (at < 0 || at >= reader.size) {
    PyErr_SetString(PyExc_IndexError, "there is no such element in the list");
    return nullptr;
  }
  return guarded([&] {
    return with_list(*reader.type->element, [&](auto tag) {
      using List = typename decltype(tag)::List;
      return element_of_list<List>(*reader.type->element, reader.message, list_at<List>(reader.pointer),
                                   static_cast<unsigned>(at));
    });
  });
}

// By index, also from the end; of a slice the elements.
PyObject* list_subscript(PyObject* self, PyObject* key) {
  const Py_ssize_t size = as_list_reader(self)->size;
  if (PyIndex_Check(key)) {
    const Py_ssize_t at = PyNumber_AsSsize_t(key, PyExc_IndexError);
    if (at == -1 && PyErr_Occurred() != nullptr) return nullptr;
    return list_item(self, at < 0 ? at + size : at);
  }
  if (!PySlice_Check(key)) {
    PyErr_Format(PyExc_TypeError, "elements of a list are found by a number or a slice, and not by %R", key);
    return nullptr;
  }
  Py_ssize_t start = 0;
  Py_ssize_t stop = 0;
  Py_ssize_t step = 0;
  if (PySlice_Unpack(key, &start, &stop, &step) != 0) return nullptr;
  const Py_ssize_t count = PySlice_AdjustIndices(size, &start, &stop, step);
  PyObject* elements = PyList_New(count);
  for (Py_ssize_t i = 0; elements != nullptr && i < count; ++i) {
    PyObject* element = list_item(self, start + i * step);
    if (element == nullptr) {
      Py_CLEAR(elements);
    } else {
      PyList_SET_ITEM(elements, i, element);
    }
  }
  return elements;
}

PyObject* list_index(PyObject* self, PyObject* wanted) {
  const Py_ssize_t at = PySequence_Index(self, wanted);
  return at < 0 ? nullptr : PyLong_FromSsize_t(at);
}

PyObject* list_count(PyObject* self, PyObject* wanted) {
  const Py_ssize_t count = PySequence_Count(self, wanted);
  return count < 0 ? nullptr : PyLong_FromSsize_t(count);
}

PyTypeObject* list_reader_type() {
  static PyTypeObject* const type = [] {
    static std::array<PyMethodDef, 5> methods{{{"index", list_index, METH_O, "The place of the first element that is equal."},
                                               {"count", list_count, METH_O, "How many elements are equal."},
                                               {"__copy__", thaw_method, METH_NOARGS, nullptr},
                                               {"__deepcopy__", thaw_method, METH_O, nullptr},
                                               {nullptr, nullptr, 0, nullptr}}};
    static std::array<PyType_Slot, 11> slots{{{Py_tp_doc, const_cast<char*>("A list in a message.")},
                                              {Py_tp_richcompare, reinterpret_cast<void*>(compare_readers)},
                                              {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
                                              {Py_mp_length, reinterpret_cast<void*>(list_size)},
                                              {Py_mp_subscript, reinterpret_cast<void*>(list_subscript)},
                                              {Py_tp_dealloc, reinterpret_cast<void*>(deallocate_list_reader)},
                                              {Py_tp_repr, reinterpret_cast<void*>(represent_reader)},
                                              {Py_tp_methods, methods.data()},
                                              {Py_sq_length, reinterpret_cast<void*>(list_size)},
                                              {Py_sq_item, reinterpret_cast<void*>(list_item)},
                                              {0, nullptr}}};
    PyType_Spec spec{"arenad.ListReader", sizeof(ListReaderObject), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_SEQUENCE, slots.data()};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  }();
  return type;
}

// ---- copies that can be changed ------------------------------------------------------------------------------------------

PyObject* thaw_struct(const StructType& type, const uint8_t* data, uint32_t data_bytes,
                      capnp::List<capnp::AnyPointer>::Reader pointers);
PyObject* thaw_pointer(const Type& type, const std::string& where, capnp::AnyPointer::Reader from);

PyObject* thaw_struct(const StructType& type, capnp::AnyStruct::Reader from) {
  const auto data = from.getDataSection();
  return thaw_struct(type, data.begin(), static_cast<uint32_t>(data.size()), from.getPointerSection());
}

template <class List>
PyObject* thaw_element(const Type& element, const std::string& where, typename List::Reader list, unsigned at) {
  if constexpr (std::is_same_v<List, capnp::List<capnp::AnyStruct>>) {
    return thaw_struct(*element.structure, list[at]);
  } else if constexpr (std::is_same_v<List, capnp::List<capnp::AnyPointer>>) {
    return thaw_pointer(element, where, list[at]);
  } else {
    return element_of_list<List>(element, nullptr, list, at);
  }
}

PyObject* thaw_list(const Type& type, const std::string& where, capnp::AnyPointer::Reader from) {
  PyObject* made = new_list(type, where);
  if (made == nullptr) return nullptr;
  return with_list(*type.element, [&](auto tag) -> PyObject* {
    using List = typename decltype(tag)::List;
    const auto list = list_at<List>(from);
    for (unsigned i = 0; i < list.size(); ++i) {
      PyObject* element = thaw_element<List>(*type.element, where, list, i);
      const bool added = element != nullptr && PyList_Append(made, element) == 0;
      Py_XDECREF(element);
      if (added) continue;
      Py_DECREF(made);
      return nullptr;
    }
    return made;
  });
}

PyObject* thaw_pointer(const Type& type, const std::string& where, capnp::AnyPointer::Reader from) {
  switch (type.kind) {
    case Kind::text:
      return text_object(from.getAs<capnp::Text>());
    case Kind::data:
      return data_object(from.getAs<capnp::Data>());
    case Kind::list:
      return thaw_list(type, where, from);
    default:
      return thaw_struct(*type.structure, from.getAs<capnp::AnyStruct>());
  }
}

PyObject* thaw_field(const Field& field, const uint8_t* data, uint32_t data_bytes,
                     capnp::List<capnp::AnyPointer>::Reader pointers) {
  if (field.type.kind == Kind::group) return thaw_struct(*field.type.structure, data, data_bytes, pointers);
  if (!is_pointer(field.type.kind)) return number_of(field.type, data, data_bytes, field.offset, field.default_bits);
  const bool is_there = field.offset < pointers.size() && !pointers[field.offset].isNull();
  if (is_there) return thaw_pointer(field.type, field.where, pointers[field.offset]);
  if (field.closes_a_cycle) Py_RETURN_NONE;
  if (field.initial != nullptr) return Py_NewRef(field.initial);
  return thaw_pointer(field.type, field.where, capnp::AnyPointer::Reader());
}

PyObject* thaw_struct(const StructType& type, const uint8_t* data, uint32_t data_bytes,
                      capnp::List<capnp::AnyPointer>::Reader pointers) {
  ValueObject* made = new_bare_value(type);
  if (made == nullptr) return nullptr;
  if (type.union_count != 0) made->which = which_of(type, data, data_bytes);
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    if (field.of_union != kNoUnion && field.of_union != made->which) continue;
    made->fields[i] = thaw_field(field, data, data_bytes, pointers);
    if (made->fields[i] == nullptr) {
      Py_DECREF(made);
      return nullptr;
    }
  }
  return reinterpret_cast<PyObject*>(made);
}

// ---- from outside --------------------------------------------------------------------------------------------------------

// Flat messages of just this layout, which most events are.
bool is_flat_message(const StructType& type, std::span<const uint64_t> words) {
  return type.is_flat() && type.data_words != 0 && words.size() == size_t{1} + type.data_words &&
         words[0] == uint64_t{type.data_words} << 32;
}

}  // namespace

bool is_reader(PyObject* object, const StructType& type) {
  return Py_IS_TYPE(object, type.reader_type);
}

const StructType* type_of_reader(PyObject* object) {
  return Py_TYPE(object)->tp_dealloc == deallocate_reader ? as_reader(object)->type : nullptr;
}

uint16_t which_of_reader(PyObject* object) {
  const ReaderObject& reader = *as_reader(object);
  return which_of(*reader.type, reader.data, reader.data_bytes);
}

std::span<const uint64_t> words_of_reader(PyObject* object) {
  const MessageObject* message = as_reader(object)->message;
  return {message->words, static_cast<size_t>(message->word_count)};
}

PyObject* new_reader(const StructType& type, std::span<const uint64_t> words) {
  MessageObject* message = new_message(words);
  if (message == nullptr) return nullptr;
  PyObject* made = nullptr;
  if (is_flat_message(type, words)) {
    made = reader_of_parts(type, message, reinterpret_cast<const uint8_t*>(message->words + 1), type.data_words * 8U,
                           capnp::List<capnp::AnyPointer>::Reader());
  } else {
    made = guarded([&] {
      const std::span<const uint64_t> own(message->words, words.size());
      MessageView suspect(own.data(), own.size());
      detail::check_struct(suspect.root<capnp::AnyPointer>().getAs<capnp::DynamicStruct>(type.schema));
      message->view = new MessageView(own.data(), own.size(), unbounded_reader_options());
      return reader_of_struct(type, message, message->view->root<capnp::AnyPointer>().getAs<capnp::AnyStruct>());
    });
  }
  Py_DECREF(message);
  return made;
}

PyObject* thawed(PyObject* reader) {
  return guarded([&]() -> PyObject* {
    if (Py_IS_TYPE(reader, list_reader_type())) {
      static const std::string nowhere = "a list";
      return thaw_list(*as_list_reader(reader)->type, nowhere, as_list_reader(reader)->pointer);
    }
    const ReaderObject& from = *as_reader(reader);
    return thaw_struct(*from.type, from.data, from.data_bytes, from.pointers);
  });
}

PyObject* thawed(const StructType& type, std::span<const uint64_t> words) {
  return guarded([&] {
    MessageView view(words.data(), words.size(), unbounded_reader_options());
    return thaw_struct(type, view.root<capnp::AnyPointer>().getAs<capnp::AnyStruct>());
  });
}

bool make_reader_type(StructType& type) {
  if (PyType_Ready(&message_type) != 0) return false;
  for (Field& field : type.fields) {
    type.getters.push_back({field.name.c_str(), getter_of(field), nullptr, nullptr, &field});
  }
  type.getters.push_back({});
  static std::array<PyMethodDef, 3> methods{{{"__copy__", thaw_method, METH_NOARGS, nullptr},
                                             {"__deepcopy__", thaw_method, METH_O, nullptr},
                                             {nullptr, nullptr, 0, nullptr}}};
  std::array<PyType_Slot, 8> slots{{{Py_tp_dealloc, reinterpret_cast<void*>(deallocate_reader)},
                                    {Py_tp_richcompare, reinterpret_cast<void*>(compare_readers)},
                                    {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
                                    {Py_tp_repr, reinterpret_cast<void*>(represent_reader)},
                                    {Py_tp_setattro, reinterpret_cast<void*>(cannot_set)},
                                    {Py_tp_getset, type.getters.data()},
                                    {Py_tp_methods, methods.data()},
                                    {0, nullptr}}};
  const std::string name = type.path + ".Reader";
  PyType_Spec spec{name.c_str(), sizeof(ReaderObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots.data()};
  type.reader_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  return type.reader_type != nullptr;
}

}  // namespace arenad::typed
