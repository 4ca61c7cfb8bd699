#include "python/typed/value.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <structmember.h>

#include "python/typed/reader.h"

namespace arenad::typed {
namespace {

// ---- what may be assigned ------------------------------------------------------------------------------------------------

struct Range {
  int64_t low;
  uint64_t high;
};

template <class Number>
constexpr Range range() {
  return {static_cast<int64_t>(std::numeric_limits<Number>::min()), static_cast<uint64_t>(std::numeric_limits<Number>::max())};
}

Range range_of(Kind kind) {
  switch (kind) {
    case Kind::int8:
      return range<int8_t>();
    case Kind::int16:
      return range<int16_t>();
    case Kind::int32:
      return range<int32_t>();
    case Kind::int64:
      return range<int64_t>();
    case Kind::uint8:
      return range<uint8_t>();
    case Kind::uint16:
      return range<uint16_t>();
    case Kind::uint32:
      return range<uint32_t>();
    default:
      return range<uint64_t>();
  }
}

PyObject* wrong_type(const Type& type, PyObject* given, const std::string& where) {
  PyErr_Format(PyExc_TypeError, "%s is of type %s, and cannot be %R, of type %s", where.c_str(), type.name.c_str(), given,
               Py_TYPE(given)->tp_name);
  return nullptr;
}

// Python does not write numbers of thousands of digits (sys.set_int_max_str_digits()). A new reference.
PyObject* shown(PyObject* number) {
  PyObject* text = PyObject_Str(number);
  if (text != nullptr) return text;
  PyErr_Clear();
  return PyUnicode_FromString("a number of thousands of digits");
}

PyObject* out_of_range(const Type& type, PyObject* given, const std::string& where, Range range) {
  PyObject* text = shown(given);
  if (text == nullptr) return nullptr;
  PyErr_Format(PyExc_ValueError, "%s is of type %s, from %lld to %llu, and cannot be %U", where.c_str(), type.name.c_str(),
               static_cast<long long>(range.low), static_cast<unsigned long long>(range.high), text);
  Py_DECREF(text);
  return nullptr;
}

PyObject* too_large(const Type& type, PyObject* given, const std::string& where) {
  PyObject* text = shown(given);
  if (text == nullptr) return nullptr;
  PyErr_Format(PyExc_ValueError, "%s is of type %s, and cannot be %U, which is too large", where.c_str(), type.name.c_str(),
               text);
  Py_DECREF(text);
  return nullptr;
}

PyObject* checked_int(const Type& type, PyObject* given, const std::string& where) {
  if (!PyLong_Check(given) || PyBool_Check(given)) return wrong_type(type, given, where);
  const Range range = range_of(type.kind);
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(given, &overflow);
  if (overflow == 0) {
    if (value < range.low || (value > 0 && static_cast<uint64_t>(value) > range.high))
      return out_of_range(type, given, where, range);
  } else {
    if (overflow < 0 || type.kind != Kind::uint64) return out_of_range(type, given, where, range);
    PyLong_AsUnsignedLongLong(given);
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      return out_of_range(type, given, where, range);
    }
  }
  // Of an IntEnum it is the number that is kept.
  return PyLong_CheckExact(given) ? Py_NewRef(given) : PyLong_Type.tp_as_number->nb_positive(given);
}

// A float as it will be when it is read again.
PyObject* checked_float(const Type& type, PyObject* given, const std::string& where) {
  if (PyFloat_CheckExact(given) && type.kind == Kind::float64) return Py_NewRef(given);
  if (!PyFloat_Check(given) && (!PyLong_Check(given) || PyBool_Check(given))) return wrong_type(type, given, where);
  double value = PyFloat_AsDouble(given);
  if (value == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    return too_large(type, given, where);
  }
  if (type.kind == Kind::float32) {
    const auto narrow = static_cast<double>(static_cast<float>(value));
    if (std::isinf(narrow) && std::isfinite(value)) return too_large(type, given, where);
    value = narrow;
  }
  return PyFloat_FromDouble(value);
}

// The number of an enumerant that this schema does not have, as it is read out of a message.
bool is_of_later_schema(const EnumType& type, PyObject* given) {
  if (!PyLong_CheckExact(given)) return false;
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(given, &overflow);
  return overflow == 0 && number >= static_cast<long long>(type.members.size()) && number <= UINT16_MAX;
}

PyObject* checked_list(const Type& type, PyObject* given, const std::string& where) {
  if (is_list(given) && as_list(given)->type == &type) return Py_NewRef(given);
  // A text is iterable too, and hardly ever meant as a list of its letters.
  if (PyUnicode_Check(given) || PyBytes_Check(given)) return wrong_type(type, given, where);
  PyObject* iterator = PyObject_GetIter(given);
  if (iterator == nullptr) {
    PyErr_Clear();
    return wrong_type(type, given, where);
  }
  PyObject* list = new_list(type, where);
  while (list != nullptr) {
    PyObject* one = PyIter_Next(iterator);
    if (one == nullptr) break;
    PyObject* element = checked(*type.element, one, where);
    Py_DECREF(one);
    if (element == nullptr || PyList_Append(list, element) != 0) Py_CLEAR(list);
    Py_XDECREF(element);
  }
  Py_DECREF(iterator);
  if (PyErr_Occurred() != nullptr) Py_CLEAR(list);
  return list;
}

// ---- structs -------------------------------------------------------------------------------------------------------------

constexpr Py_ssize_t kFieldsOffset = offsetof(ValueObject, fields);

// The field of this name; nullptr if there is none.
const Field* field_named(const StructType& type, PyObject* name) {
  PyObject* found = _PyType_Lookup(type.value_type, name);
  if (found == nullptr || !Py_IS_TYPE(found, &PyMemberDescr_Type)) return nullptr;
  const auto* member = reinterpret_cast<PyMemberDescrObject*>(found)->d_member;
  return &type.fields[static_cast<size_t>(member->offset - kFieldsOffset) / sizeof(PyObject*)];
}

PyObject* initial_of(const Field& field) {
  switch (field.type.kind) {
    case Kind::list:
      return new_list(field.type, field.where);
    case Kind::structure:
      if (field.closes_a_cycle) return Py_NewRef(Py_None);
      return new_value(*field.type.structure);
    case Kind::group:
      return new_value(*field.type.structure);
    default:
      return Py_NewRef(field.initial);
  }
}

int set_field(ValueObject* value, const Field& field, PyObject* given) {
  PyObject* fits = field.closes_a_cycle && given == Py_None ? Py_NewRef(given) : checked(field.type, given, field.where);
  if (fits == nullptr) return -1;
  const StructType& type = *value->type;
  if (field.of_union != kNoUnion && value->which != field.of_union) {
    for (size_t i = 0; i < type.fields.size(); ++i) {
      if (type.fields[i].of_union != kNoUnion) Py_CLEAR(value->fields[i]);
    }
    value->which = field.of_union;
  }
  PyObject*& slot = value->fields[static_cast<size_t>(&field - type.fields.data())];
  PyObject* before = slot;
  slot = fits;
  Py_XDECREF(before);
  return 0;
}

int no_such_field(const StructType& type, PyObject* name) {
  PyErr_Format(PyExc_AttributeError, "%s has no field %R: the schema declares what there is", type.name.c_str(), name);
  return -1;
}

int set_attribute(PyObject* self, PyObject* name, PyObject* given) {
  ValueObject* value = as_value(self);
  const Field* field = field_named(*value->type, name);
  if (field == nullptr) return no_such_field(*value->type, name);
  if (given == nullptr) {
    PyErr_Format(PyExc_AttributeError, "%s is a field, and cannot be deleted", field->where.c_str());
    return -1;
  }
  return set_field(value, *field, given);
}

const StructType& struct_of(PyTypeObject* type) {
  PyObject* capsule = PyDict_GetItemString(type->tp_dict, "__arenad_struct__");
  return *static_cast<const StructType*>(PyCapsule_GetPointer(capsule, nullptr));
}

PyObject* construct(PyObject* type_object, PyObject* const* arguments, size_t flagged_count, PyObject* names) {
  const StructType& type = struct_of(reinterpret_cast<PyTypeObject*>(type_object));
  const Py_ssize_t count = PyVectorcall_NARGS(flagged_count);
  if (count != 0) {
    PyErr_Format(PyExc_TypeError, "%s takes its fields by name: %s(field=value)", type.name.c_str(), type.name.c_str());
    return nullptr;
  }
  PyObject* made = new_value(type);
  const Py_ssize_t named = made != nullptr && names != nullptr ? PyTuple_GET_SIZE(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    if (set_attribute(made, PyTuple_GET_ITEM(names, i), arguments[i]) != 0) {
      Py_DECREF(made);
      return nullptr;
    }
  }
  return made;
}

PyObject* construct_slowly(PyTypeObject* type, PyObject* arguments, PyObject* names) {
  PyObject* made = PyTuple_GET_SIZE(arguments) == 0 ? new_value(struct_of(type))
                                                    : construct(reinterpret_cast<PyObject*>(type), nullptr, 1, nullptr);
  PyObject* name = nullptr;
  PyObject* given = nullptr;
  Py_ssize_t at = 0;
  while (made != nullptr && names != nullptr && PyDict_Next(names, &at, &name, &given) != 0) {
    if (set_attribute(made, name, given) != 0) Py_CLEAR(made);
  }
  return made;
}

int accept_no_more(PyObject*, PyObject*, PyObject*) {
  return 0;
}

int traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  ValueObject* value = as_value(self);
  for (size_t i = 0; i < value->type->fields.size(); ++i) Py_VISIT(value->fields[i]);
  return 0;
}

// What is taken apart because nothing refers to it any more may still be looked at by a finalizer: its numbers stay.
int clear(PyObject* self) {
  ValueObject* value = as_value(self);
  for (size_t i = 0; i < value->type->fields.size(); ++i) Py_CLEAR(value->fields[i]);
  return 0;
}

void take_apart(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  clear(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// A long chain of structs is freed without a long chain of calls. What cannot hold a struct ends such a chain, and has no room in front of it to be put
// into the list of what is still to be freed.
void deallocate(PyObject* self) {
  if (!PyType_IS_GC(Py_TYPE(self))) return take_apart(self);
  PyObject_GC_UnTrack(self);
  Py_TRASHCAN_BEGIN(self, deallocate) take_apart(self);
  Py_TRASHCAN_END
}

PyObject* represent(PyObject* self) {
  const int entered = Py_ReprEnter(self);
  if (entered != 0) return entered > 0 ? PyUnicode_FromString("...") : nullptr;
  const ValueObject* value = as_value(self);
  const StructType& type = *value->type;
  PyObject* parts = PyList_New(0);
  for (size_t i = 0; parts != nullptr && i < type.fields.size(); ++i) {
    if (value->fields[i] == nullptr) continue;
    PyObject* part = PyUnicode_FromFormat("%s=%R", type.fields[i].name.c_str(), value->fields[i]);
    if (part == nullptr || PyList_Append(parts, part) != 0) Py_CLEAR(parts);
    Py_XDECREF(part);
  }
  PyObject* text = nullptr;
  if (parts != nullptr) {
    PyObject* comma = PyUnicode_FromString(", ");
    PyObject* joined = PyUnicode_Join(comma, parts);
    if (joined != nullptr) text = PyUnicode_FromFormat("%s(%U)", type.name.c_str(), joined);
    Py_XDECREF(joined);
    Py_XDECREF(comma);
    Py_DECREF(parts);
  }
  Py_ReprLeave(self);
  return text;
}

PyObject* compare(PyObject* self, PyObject* other, int operation) {
  if ((operation != Py_EQ && operation != Py_NE) || !Py_IS_TYPE(other, Py_TYPE(self))) Py_RETURN_NOTIMPLEMENTED;
  const ValueObject* a = as_value(self);
  const ValueObject* b = as_value(other);
  bool same = a->which == b->which;
  for (size_t i = 0; same && i < a->type->fields.size(); ++i) {
    if (a->fields[i] == nullptr || b->fields[i] == nullptr) {
      same = a->fields[i] == b->fields[i];
      continue;
    }
    const int equal = PyObject_RichCompareBool(a->fields[i], b->fields[i], Py_EQ);
    if (equal < 0) return nullptr;
    same = equal != 0;
  }
  return PyBool_FromLong(same == (operation == Py_EQ));
}

PyObject* copy_value(PyObject* self, PyObject*) {
  return copied(self);
}

// ---- lists ---------------------------------------------------------------------------------------------------------------

PyObject* element_of(PyObject* self, PyObject* given) {
  const ListObject* list = as_list(self);
  return checked(*list->type->element, given, *list->where);
}

// All elements of something that is iterable, checked: a list.
PyObject* elements_of(PyObject* self, PyObject* given) {
  PyObject* iterator = PyObject_GetIter(given);
  PyObject* plain = iterator != nullptr ? PyList_New(0) : nullptr;
  while (plain != nullptr) {
    PyObject* one = PyIter_Next(iterator);
    if (one == nullptr) break;
    PyObject* element = element_of(self, one);
    Py_DECREF(one);
    if (element == nullptr || PyList_Append(plain, element) != 0) Py_CLEAR(plain);
    Py_XDECREF(element);
  }
  Py_XDECREF(iterator);
  if (PyErr_Occurred() != nullptr) Py_CLEAR(plain);
  return plain;
}

PyObject* list_append(PyObject* self, PyObject* given) {
  PyObject* element = element_of(self, given);
  if (element == nullptr) return nullptr;
  const int failed = PyList_Append(self, element);
  Py_DECREF(element);
  if (failed != 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* list_extend(PyObject* self, PyObject* given) {
  PyObject* elements = elements_of(self, given);
  if (elements == nullptr) return nullptr;
  const Py_ssize_t end = PyList_GET_SIZE(self);
  const int failed = PyList_SetSlice(self, end, end, elements);
  Py_DECREF(elements);
  if (failed != 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* list_insert(PyObject* self, PyObject* arguments) {
  Py_ssize_t at = 0;
  PyObject* given = nullptr;
  if (PyArg_ParseTuple(arguments, "nO:insert", &at, &given) == 0) return nullptr;
  PyObject* element = element_of(self, given);
  if (element == nullptr) return nullptr;
  const int failed = PyList_Insert(self, at, element);
  Py_DECREF(element);
  if (failed != 0) return nullptr;
  Py_RETURN_NONE;
}

PyObject* list_add_in_place(PyObject* self, PyObject* given) {
  PyObject* none = list_extend(self, given);
  if (none == nullptr) return nullptr;
  Py_DECREF(none);
  return Py_NewRef(self);
}

PyObject* list_repeat_in_place(PyObject* self, Py_ssize_t) {
  PyErr_Format(PyExc_TypeError, "%s cannot be repeated in place: append what is to be in it", as_list(self)->where->c_str());
  return nullptr;
}

int list_set(PyObject* self, PyObject* key, PyObject* given) {
  if (given == nullptr) return PyList_Type.tp_as_mapping->mp_ass_subscript(self, key, nullptr);
  PyObject* fits = PySlice_Check(key) ? elements_of(self, given) : element_of(self, given);
  if (fits == nullptr) return -1;
  const int failed = PyList_Type.tp_as_mapping->mp_ass_subscript(self, key, fits);
  Py_DECREF(fits);
  return failed;
}

int list_set_at(PyObject* self, Py_ssize_t at, PyObject* given) {
  if (given == nullptr) return PyList_SetSlice(self, at, at + 1, nullptr);
  PyObject* element = element_of(self, given);
  return element == nullptr ? -1 : PyList_SetItem(self, at, element);
}

int list_init(PyObject* self, PyObject* arguments, PyObject*) {
  if (PyTuple_GET_SIZE(arguments) == 0) return 0;
  PyErr_Format(PyExc_TypeError, "%s is filled by append() or by assigning to it", as_list(self)->where->c_str());
  return -1;
}

}  // namespace

bool is_value(PyObject* object, const StructType& type) {
  return Py_IS_TYPE(object, type.value_type);
}

bool is_list(PyObject* object) {
  return Py_IS_TYPE(object, list_type());
}

const Field* union_field(const StructType& type, uint32_t which) {
  for (const Field& field : type.fields) {
    if (field.of_union != kNoUnion && field.of_union == which) return &field;
  }
  return nullptr;
}

PyObject* checked(const Type& type, PyObject* given, const std::string& where) {
  switch (type.kind) {
    case Kind::nothing:
      return given == Py_None ? Py_NewRef(given) : wrong_type(type, given, where);
    case Kind::boolean:
      return PyBool_Check(given) ? Py_NewRef(given) : wrong_type(type, given, where);
    case Kind::float32:
    case Kind::float64:
      return checked_float(type, given, where);
    case Kind::enumeration:
      if (Py_IS_TYPE(given, reinterpret_cast<PyTypeObject*>(type.enumeration->python_type))) return Py_NewRef(given);
      if (is_of_later_schema(*type.enumeration, given)) return Py_NewRef(given);
      return wrong_type(type, given, where);
    case Kind::text:
      if (!PyUnicode_Check(given)) return wrong_type(type, given, where);
      // Of one of a class that derives from str it is the text that is kept, as when it is read again.
      if (PyUnicode_AsUTF8(given) != nullptr) return PyUnicode_FromObject(given);
      PyErr_Clear();
      PyErr_Format(PyExc_ValueError, "%s is of type Text, and cannot be %R, which is not valid Unicode", where.c_str(), given);
      return nullptr;
    case Kind::data:
      if (!PyBytes_Check(given)) return wrong_type(type, given, where);
      if (PyBytes_CheckExact(given)) return Py_NewRef(given);
      return PyBytes_FromStringAndSize(PyBytes_AS_STRING(given), PyBytes_GET_SIZE(given));
    case Kind::list:
      return checked_list(type, given, where);
    case Kind::structure:
    case Kind::group:
      if (is_value(given, *type.structure)) return Py_NewRef(given);
      if (is_reader(given, *type.structure)) return thawed(given);
      return wrong_type(type, given, where);
    default:
      return checked_int(type, given, where);
  }
}

ValueObject* new_bare_value(const StructType& type) {
  auto* made = as_value(type.value_type->tp_alloc(type.value_type, 0));
  if (made != nullptr) made->type = &type;
  return made;
}

PyObject* new_value(const StructType& type) {
  ValueObject* made = new_bare_value(type);
  if (made == nullptr) return nullptr;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    if (field.of_union != kNoUnion && field.of_union != 0) continue;
    made->fields[i] = initial_of(field);
    if (made->fields[i] == nullptr) {
      Py_DECREF(made);
      return nullptr;
    }
  }
  return reinterpret_cast<PyObject*>(made);
}

PyObject* new_list(const Type& type, const std::string& where) {
  PyObject* made = list_type()->tp_alloc(list_type(), 0);
  if (made == nullptr) return nullptr;
  as_list(made)->type = &type;
  as_list(made)->where = &where;
  return made;
}

namespace {

PyObject* copy_of_list(PyObject* value) {
  PyObject* copy = new_list(*as_list(value)->type, *as_list(value)->where);
  for (Py_ssize_t i = 0; copy != nullptr && i < PyList_GET_SIZE(value); ++i) {
    PyObject* element = copied(PyList_GET_ITEM(value, i));
    if (element == nullptr || PyList_Append(copy, element) != 0) Py_CLEAR(copy);
    Py_XDECREF(element);
  }
  return copy;
}

PyObject* copy_of_struct(const ValueObject* from) {
  ValueObject* copy = new_bare_value(*from->type);
  if (copy == nullptr) return nullptr;
  copy->which = from->which;
  for (size_t i = 0; i < from->type->fields.size(); ++i) {
    if (from->fields[i] == nullptr) continue;
    copy->fields[i] = copied(from->fields[i]);
    if (copy->fields[i] == nullptr) {
      Py_DECREF(copy);
      return nullptr;
    }
  }
  return reinterpret_cast<PyObject*>(copy);
}

}  // namespace

PyObject* copied(PyObject* value) {
  const bool is_struct = Py_TYPE(value)->tp_setattro == set_attribute;
  if (!is_struct && !is_list(value)) return Py_NewRef(value);
  if (Py_EnterRecursiveCall(" while a struct is copied") != 0) return nullptr;
  PyObject* copy = is_struct ? copy_of_struct(as_value(value)) : copy_of_list(value);
  Py_LeaveRecursiveCall();
  return copy;
}

PyTypeObject* list_type() {
  static PyTypeObject* const type = [] {
    static std::array<PyMethodDef, 6> methods{{{"append", list_append, METH_O, "Adds one element at the end."},
                                               {"extend", list_extend, METH_O, "Adds elements at the end."},
                                               {"insert", list_insert, METH_VARARGS, "Adds one element before an index."},
                                               {"__copy__", copy_value, METH_NOARGS, nullptr},
                                               {"__deepcopy__", copy_value, METH_O, nullptr},
                                               {nullptr, nullptr, 0, nullptr}}};
    static std::array<PyType_Slot, 8> slots{
        {{Py_tp_doc, const_cast<char*>("A list of a schema: its elements are checked when they are put in.")},
         {Py_tp_init, reinterpret_cast<void*>(list_init)},
         {Py_tp_methods, methods.data()},
         {Py_sq_ass_item, reinterpret_cast<void*>(list_set_at)},
         {Py_mp_ass_subscript, reinterpret_cast<void*>(list_set)},
         {Py_sq_inplace_concat, reinterpret_cast<void*>(list_add_in_place)},
         {Py_sq_inplace_repeat, reinterpret_cast<void*>(list_repeat_in_place)},
         {0, nullptr}}};
    PyType_Spec spec{"arenad.List", sizeof(ListObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                     slots.data()};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpecWithBases(&spec, reinterpret_cast<PyObject*>(&PyList_Type)));
  }();
  return type;
}

bool make_value_type(StructType& type) {
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const auto offset = kFieldsOffset + static_cast<Py_ssize_t>(i * sizeof(PyObject*));
    type.members.push_back({type.fields[i].name.c_str(), T_OBJECT_EX, offset, READONLY, nullptr});
  }
  type.members.push_back({});
  static std::array<PyMethodDef, 3> methods{{{"__copy__", copy_value, METH_NOARGS, nullptr},
                                             {"__deepcopy__", copy_value, METH_O, nullptr},
                                             {nullptr, nullptr, 0, nullptr}}};
  std::vector<PyType_Slot> slots{{Py_tp_new, reinterpret_cast<void*>(construct_slowly)},
                                 {Py_tp_init, reinterpret_cast<void*>(accept_no_more)},
                                 {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
                                 {Py_tp_setattro, reinterpret_cast<void*>(set_attribute)},
                                 {Py_tp_repr, reinterpret_cast<void*>(represent)},
                                 {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
                                 {Py_tp_hash, reinterpret_cast<void*>(PyObject_HashNotImplemented)},
                                 {Py_tp_members, type.members.data()},
                                 {Py_tp_methods, methods.data()}};
  unsigned flags = Py_TPFLAGS_DEFAULT;
  // What has nothing but numbers and texts in it can be in no cycle, and costs the collector nothing.
  if (type.has_containers()) {
    flags |= Py_TPFLAGS_HAVE_GC;
    slots.push_back({Py_tp_traverse, reinterpret_cast<void*>(traverse)});
    slots.push_back({Py_tp_clear, reinterpret_cast<void*>(clear)});
  }
  slots.push_back({0, nullptr});
  const size_t bytes = offsetof(ValueObject, fields) + type.fields.size() * sizeof(PyObject*);
  PyType_Spec spec{type.path.c_str(), static_cast<int>(bytes), 0, flags, slots.data()};
  PyObject* made = PyType_FromSpec(&spec);
  if (made == nullptr) return false;
  type.value_type = reinterpret_cast<PyTypeObject*>(made);
  type.value_type->tp_vectorcall = construct;
  PyObject* capsule = PyCapsule_New(&type, nullptr, nullptr);
  const bool kept = capsule != nullptr && PyDict_SetItemString(type.value_type->tp_dict, "__arenad_struct__", capsule) == 0;
  Py_XDECREF(capsule);
  PyType_Modified(type.value_type);
  return kept;
}

}  // namespace arenad::typed
