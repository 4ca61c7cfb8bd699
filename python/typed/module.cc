#include "python/typed/module.h"

#include <array>
#include <cctype>
#include <cstring>
#include <functional>
#include <stdexcept>

#include <capnp/schema.capnp.h>
#include <kj/exception.h>

#include "python/typed/encode.h"
#include "python/typed/reader.h"
#include "python/typed/value.h"

namespace arenad::typed {
namespace {

// Types live as long as the process: classes may be anywhere.
std::vector<std::shared_ptr<Layouts>>& all_layouts() {
  static auto* all = new std::vector<std::shared_ptr<Layouts>>;
  return *all;
}

struct Failed {};

PyObject* need(PyObject* object) {
  if (object == nullptr) throw Failed{};
  return object;
}
void need(bool fine) {
  if (!fine) throw Failed{};
}

// ---- types ---------------------------------------------------------------------------------------------------------------

void make_enum(EnumType& type, PyObject* int_enum, const std::string& module_name) {
  PyObject* names = need(PyList_New(0));
  for (size_t i = 0; i < type.names.size(); ++i) {
    PyObject* pair = need(Py_BuildValue("(sn)", type.names[i].c_str(), static_cast<Py_ssize_t>(i)));
    need(PyList_Append(names, pair) == 0);
    Py_DECREF(pair);
  }
  PyObject* arguments = need(Py_BuildValue("(sN)", type.name.c_str(), names));
  PyObject* options = need(Py_BuildValue("{s:s,s:s}", "module", module_name.c_str(), "qualname", type.name.c_str()));
  type.python_type = need(PyObject_Call(int_enum, arguments, options));
  Py_DECREF(arguments);
  Py_DECREF(options);
  for (const std::string& name : type.names)
    type.members.push_back(need(PyObject_GetAttrString(type.python_type, name.c_str())));
}

PyObject* initial_number(const Type& type, uint64_t bits) {
  float narrow = 0;
  double wide = 0;
  switch (type.kind) {
    case Kind::boolean:
      return PyBool_FromLong(bits != 0 ? 1 : 0);
    case Kind::int8:
      return PyLong_FromLong(static_cast<int8_t>(bits));
    case Kind::int16:
      return PyLong_FromLong(static_cast<int16_t>(bits));
    case Kind::int32:
      return PyLong_FromLong(static_cast<int32_t>(bits));
    case Kind::int64:
      return PyLong_FromLongLong(static_cast<int64_t>(bits));
    case Kind::float32:
      std::memcpy(&narrow, &bits, sizeof narrow);
      return PyFloat_FromDouble(narrow);
    case Kind::float64:
      std::memcpy(&wide, &bits, sizeof wide);
      return PyFloat_FromDouble(wide);
    case Kind::enumeration:
      return bits < type.enumeration->members.size() ? Py_NewRef(type.enumeration->members[bits])
                                                     : PyLong_FromUnsignedLongLong(bits);
    case Kind::nothing:
      Py_RETURN_NONE;
    default:
      return PyLong_FromUnsignedLongLong(bits);
  }
}

void make_initials(StructType& type) {
  for (Field& field : type.fields) {
    const std::string& bytes = field.default_bytes;
    switch (field.type.kind) {
      case Kind::text:
        field.initial = need(PyUnicode_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
        break;
      case Kind::data:
        field.initial = need(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
        break;
      case Kind::list:
      case Kind::structure:
      case Kind::group:
        break;
      default:
        field.initial = need(initial_number(field.type, field.default_bits));
    }
  }
}

std::string upper(std::string name) {
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

// Its own, or that of a schema that it imports, which was loaded before.
const EnumType* enum_of(const Layouts& layouts, uint64_t id) {
  if (const EnumType* own = layouts.find_enum(id); own != nullptr && own->python_type != nullptr) return own;
  for (auto other = all_layouts().rbegin(); other != all_layouts().rend(); ++other) {
    if (const EnumType* its = (*other)->find_enum(id); its != nullptr && its->python_type != nullptr) return its;
  }
  return nullptr;
}

// NULL without an exception: a list or struct, which has no constant in Python.
PyObject* constant(const Layouts& layouts, const capnp::schema::Node::Const::Reader& proto) {
  const auto value = proto.getValue();
  using Which = capnp::schema::Value::Which;
  switch (value.which()) {
    case Which::BOOL:
      return PyBool_FromLong(value.getBool() ? 1 : 0);
    case Which::INT8:
      return PyLong_FromLong(value.getInt8());
    case Which::INT16:
      return PyLong_FromLong(value.getInt16());
    case Which::INT32:
      return PyLong_FromLong(value.getInt32());
    case Which::INT64:
      return PyLong_FromLongLong(value.getInt64());
    case Which::UINT8:
      return PyLong_FromUnsignedLong(value.getUint8());
    case Which::UINT16:
      return PyLong_FromUnsignedLong(value.getUint16());
    case Which::UINT32:
      return PyLong_FromUnsignedLong(value.getUint32());
    case Which::UINT64:
      return PyLong_FromUnsignedLongLong(value.getUint64());
    case Which::FLOAT32:
      return PyFloat_FromDouble(value.getFloat32());
    case Which::FLOAT64:
      return PyFloat_FromDouble(value.getFloat64());
    case Which::TEXT:
      return PyUnicode_FromString(value.getText().cStr());
    case Which::DATA:
      return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(value.getData().begin()),
                                       static_cast<Py_ssize_t>(value.getData().size()));
    case Which::ENUM: {
      const EnumType* type = enum_of(layouts, proto.getType().getEnum().getTypeId());
      if (type == nullptr || value.getEnum() >= type->members.size()) return PyLong_FromUnsignedLong(value.getEnum());
      return Py_NewRef(type->members[value.getEnum()]);
    }
    default:
      return nullptr;
  }
}

// What a file or a struct declares, by its name in Python, into a dictionary.
void declare(const Layouts& layouts, const std::vector<Layouts::Name>& names, PyObject* into) {
  for (const auto& [name, id] : names) {
    if (const StructType* type = layouts.find(id); type != nullptr && type->value_type != nullptr) {
      need(PyDict_SetItemString(into, name.c_str(), reinterpret_cast<PyObject*>(type->value_type)) == 0);
    } else if (const EnumType* enumeration = layouts.find_enum(id); enumeration != nullptr) {
      need(PyDict_SetItemString(into, name.c_str(), enumeration->python_type) == 0);
    } else if (const auto proto = layouts.schema(id).getProto(); proto.isConst()) {
      PyObject* value = constant(layouts, proto.getConst());
      need(PyErr_Occurred() == nullptr);
      if (value == nullptr) continue;
      need(PyDict_SetItemString(into, upper(snake_case(name)).c_str(), value) == 0);
      Py_DECREF(value);
    }
  }
}

// Python takes what stands before the last dot for the module.
void name_type(PyTypeObject* type, const std::string& module_name, const std::string& name) {
  PyObject* module = need(PyUnicode_FromString(module_name.c_str()));
  PyObject* qualified = need(PyUnicode_FromString(name.c_str()));
  need(PyDict_SetItemString(type->tp_dict, "__module__", module) == 0);
  Py_SETREF(reinterpret_cast<PyHeapTypeObject*>(type)->ht_qualname, qualified);
  Py_DECREF(module);
}

// A group has no name of its own in a schema: the class is called as its field, with a capital letter.
void declare_groups(const StructType& type) {
  for (const Field& field : type.fields) {
    if (field.type.kind != Kind::group) continue;
    const std::string& name = field.type.structure->name;
    PyObject* group = reinterpret_cast<PyObject*>(field.type.structure->value_type);
    need(PyDict_SetItemString(type.value_type->tp_dict, name.c_str() + name.rfind('.') + 1, group) == 0);
  }
}

// Struct types in the order in which they are needed do not matter: they refer to each other by StructType.
void make_types(Layouts& layouts, const std::string& module_name) {
  PyObject* enum_module = need(PyImport_ImportModule("enum"));
  PyObject* int_enum = need(PyObject_GetAttrString(enum_module, "IntEnum"));
  Py_DECREF(enum_module);
  for (const auto& [id, type] : layouts.enums()) make_enum(*type, int_enum, module_name);
  Py_DECREF(int_enum);
  for (const auto& [id, type] : layouts.structs()) {
    make_initials(*type);
    need(make_value_type(*type) && make_reader_type(*type));
    name_type(type->value_type, module_name, type->name);
    name_type(type->reader_type, module_name, type->name + ".Reader");
    need(PyDict_SetItemString(type->value_type->tp_dict, "Reader", reinterpret_cast<PyObject*>(type->reader_type)) == 0);
  }
  for (const auto& [id, type] : layouts.structs()) {
    if (!type->is_group) declare(layouts, layouts.nested(id), type->value_type->tp_dict);
    declare_groups(*type);
    PyType_Modified(type->value_type);
  }
}

template <class Call>
PyObject* guarded(Call&& call) {
  try {
    return call();
  } catch (const Failed&) {
  } catch (const kj::Exception& e) {
    PyErr_SetString(PyExc_ValueError, e.getDescription().cStr());
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  }
  return nullptr;
}

PyObject* load_schema(PyObject*, PyObject* arguments) {
  const char* bytes = nullptr;
  Py_ssize_t size = 0;
  const char* module_name = nullptr;
  if (PyArg_ParseTuple(arguments, "y#s:load_schema", &bytes, &size, &module_name) == 0) return nullptr;
  return guarded([&] {
    auto layouts = std::make_shared<Layouts>(bytes, static_cast<size_t>(size), module_name, all_layouts());
    all_layouts().push_back(layouts);
    make_types(*layouts, module_name);
    PyObject* names = need(PyDict_New());
    declare(*layouts, layouts->top_level(), names);
    return names;
  });
}

PyObject* imports(PyObject*, PyObject* compiled) {
  if (!PyBytes_Check(compiled)) {
    PyErr_SetString(PyExc_TypeError, "imports(bytes)");
    return nullptr;
  }
  return guarded([&] {
    PyObject* names = need(PyList_New(0));
    for (const std::string& name : imports_of(PyBytes_AS_STRING(compiled), static_cast<size_t>(PyBytes_GET_SIZE(compiled)))) {
      PyObject* text = need(PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size())));
      need(PyList_Append(names, text) == 0);
      Py_DECREF(text);
    }
    return names;
  });
}

// ---- messages ------------------------------------------------------------------------------------------------------------

const StructType* type_of_value(PyObject* object) {
  PyObject* capsule = PyDict_GetItemString(Py_TYPE(object)->tp_dict, "__arenad_struct__");
  return capsule != nullptr ? static_cast<const StructType*>(PyCapsule_GetPointer(capsule, nullptr)) : nullptr;
}

PyObject* encode_message(PyObject*, PyObject* object) {
  if (type_of_value(object) == nullptr) {
    PyErr_Format(PyExc_TypeError, "%R is not a struct of a schema", object);
    return nullptr;
  }
  const auto words = encode(as_value(object));
  if (words.empty()) return nullptr;
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(words.data()), static_cast<Py_ssize_t>(words.size_bytes()));
}

PyObject* decode_message(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2 || !PyBytes_Check(arguments[1])) {
    PyErr_SetString(PyExc_TypeError, "decode(type, bytes)");
    return nullptr;
  }
  const StructType* type = struct_type(arguments[0]);
  if (type == nullptr) return nullptr;
  const auto size = static_cast<size_t>(PyBytes_GET_SIZE(arguments[1]));
  if (size == 0 || size % sizeof(uint64_t) != 0) {
    PyErr_Format(PyExc_ValueError, "a message is made of words of 8 bytes, and not of %zd bytes", size);
    return nullptr;
  }
  // A bytes object's own are aligned as words are, from 3.11 on all objects' are.
  return new_reader(*type, {reinterpret_cast<const uint64_t*>(PyBytes_AS_STRING(arguments[1])), size / sizeof(uint64_t)});
}

PyObject* thaw(PyObject*, PyObject* object) {
  if (type_of_reader(object) != nullptr || std::strcmp(Py_TYPE(object)->tp_name, "arenad.ListReader") == 0)
    return thawed(object);
  if (type_of_value(object) != nullptr || is_list(object)) return copied(object);
  PyErr_Format(PyExc_TypeError, "%R was not read from a message", object);
  return nullptr;
}

PyObject* which(PyObject*, PyObject* object) {
  const StructType* type = type_of_value(object);
  uint32_t there = 0;
  if (type != nullptr) {
    there = as_value(object)->which;
  } else if (type = type_of_reader(object); type != nullptr) {
    there = which_of_reader(object);
  } else {
    PyErr_Format(PyExc_TypeError, "%R is not a struct of a schema", object);
    return nullptr;
  }
  const Field* field = union_field(*type, there);
  if (field == nullptr) Py_RETURN_NONE;
  return PyUnicode_FromString(field->name.c_str());
}

PyObject* type_id(PyObject*, PyObject* object) {
  const StructType* type = struct_type(object);
  return type != nullptr ? PyLong_FromUnsignedLongLong(type->id) : nullptr;
}

// What stubs are made of: for each field its name, its kind, and the class or the element of it.
PyObject* describe_type(const Type& type) {
  static constexpr std::array<const char*, 18> kNames{"nothing", "bool",   "int8",   "int16",  "int32",   "int64",
                                                      "uint8",   "uint16", "uint32", "uint64", "float32", "float64",
                                                      "enum",    "text",   "data",   "list",   "struct",  "group"};
  const char* kind = kNames.at(static_cast<size_t>(type.kind));
  switch (type.kind) {
    case Kind::list:
      return Py_BuildValue("(sN)", kind, describe_type(*type.element));
    case Kind::structure:
    case Kind::group:
      return Py_BuildValue("(sO)", kind, type.structure->value_type);
    case Kind::enumeration:
      return Py_BuildValue("(sO)", kind, type.enumeration->python_type);
    default:
      return Py_BuildValue("(sO)", kind, Py_None);
  }
}

PyObject* fields(PyObject*, PyObject* object) {
  return guarded([&] {
    const StructType* type = struct_type(object);
    need(type != nullptr);
    PyObject* list = need(PyList_New(0));
    for (const Field& field : type->fields) {
      PyObject* one =
          need(Py_BuildValue("(sNOO)", field.name.c_str(), describe_type(field.type),
                             field.of_union != kNoUnion ? Py_True : Py_False, field.closes_a_cycle ? Py_True : Py_False));
      need(PyList_Append(list, one) == 0);
      Py_DECREF(one);
    }
    return list;
  });
}

std::array<PyMethodDef, 9> functions{
    {{"load_schema", load_schema, METH_VARARGS,
      "The classes of a compiled schema, by name: load_schema(bytes, module_name). Those of a schema that it imports are the "
      "ones of that, if it is loaded."},
     {"imports", imports, METH_O, "The files that a compiled schema imports, as it writes them: imports(bytes)."},
     {"encode", encode_message, METH_O, "A struct as a message: words of 8 bytes, the root pointer first."},
     {"decode", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(decode_message)), METH_FASTCALL,
      "A message as a Reader of a class: decode(type, bytes). ValueError if it is not valid."},
     {"thaw", thaw, METH_O, "A copy that can be changed of what was read from a message."},
     {"which", which, METH_O, "The name of the field of a struct's union that is there; None if it has no union."},
     {"type_id", type_id, METH_O, "The Cap'n Proto type id of a class."},
     {"fields", fields, METH_O, "What a class has: (name, (kind, class or element), in the union, may be None) of each field."},
     {nullptr, nullptr, 0, nullptr}}};

}  // namespace

const StructType* struct_type(PyObject* type_object) {
  for (const auto& layouts : all_layouts()) {
    for (const auto& [id, type] : layouts->structs()) {
      if (reinterpret_cast<PyObject*>(type->value_type) == type_object ||
          reinterpret_cast<PyObject*>(type->reader_type) == type_object) {
        return type.get();
      }
    }
  }
  PyErr_Format(PyExc_TypeError, "%R is not a class of a schema", type_object);
  return nullptr;
}

PyObject* init_module() {
  static PyModuleDef definition{PyModuleDef_HEAD_INIT,
                                "_arenad",
                                "The types of a schema, and messages of them.",
                                -1,
                                functions.data(),
                                nullptr,
                                nullptr,
                                nullptr,
                                nullptr};
  PyObject* module = PyModule_Create(&definition);
  if (module == nullptr) return nullptr;
  if (PyModule_AddObjectRef(module, "List", reinterpret_cast<PyObject*>(list_type())) != 0) Py_CLEAR(module);
  return module;
}

}  // namespace arenad::typed
