// The module `_arenad`: the types of a schema, and messages of them, for Python. The host has it built in (python/host/); at the desk it is an extension module.
#pragma once

#include "python/typed/layout.h"

namespace arenad::typed {

// Makes the module: what PyInit__arenad() gives.
PyObject* init_module();

// The type that a class of a schema, or its Reader, stands for; nullptr with a TypeError if it is none.
const StructType* struct_type(PyObject* type_object);

}  // namespace arenad::typed
