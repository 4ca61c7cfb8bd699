// Structs and lists that can be changed, as Python objects: what a game keeps as its state, and fills in to send.
//
// A struct is like a class with __slots__: an attribute for each field and no others; reading one is a slot's read, and assigning checks the type and the range, and
// names both if it does not fit. A list is a list whose elements are checked likewise. So what has been assigned can be written as a message.
#pragma once

#include "python/typed/layout.h"

namespace arenad::typed {

struct ValueObject {
  PyObject_HEAD const StructType* type;
  uint32_t mark;        // by which walk it was met last (encode.h)
  uint32_t which;       // the discriminant of the union's field that is there
  PyObject* fields[1];  // one for each field; NULL: a field of the union that is not there
};

struct ListObject {
  PyListObject list;
  const Type* type;
  const std::string* where;  // the field that it was made for
  uint32_t mark;
};

// Made once for each struct of a schema. False with an exception if that fails.
bool make_value_type(StructType& type);
// Made once in the process; borrowed.
PyTypeObject* list_type();

bool is_value(PyObject* object, const StructType& type);
bool is_list(PyObject* object);
inline ValueObject* as_value(PyObject* object) {
  return reinterpret_cast<ValueObject*>(object);
}
inline ListObject* as_list(PyObject* object) {
  return reinterpret_cast<ListObject*>(object);
}

// With all fields as they are at first.
PyObject* new_value(const StructType& type);
// With no field at all: who asks for it sets each one that is there before anybody else sees it.
ValueObject* new_bare_value(const StructType& type);
PyObject* new_list(const Type& type, const std::string& where);

// The same object, or what it becomes as this type: a new reference. NULL with a TypeError or ValueError that names field and type.
PyObject* checked(const Type& type, PyObject* given, const std::string& where);

// The field that is there; nullptr if the struct has no union.
const Field* union_field(const StructType& type, uint32_t which);

// A copy of a struct or list and of all that is in it.
PyObject* copied(PyObject* value);

}  // namespace arenad::typed
