// `import _arenad` at the desk: the function that Python looks for, out of the library where the host has it too.
#include "python/typed/module.h"

PyMODINIT_FUNC PyInit__arenad() {
  return arenad::typed::init_module();
}
