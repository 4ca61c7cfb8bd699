// A worker program of another arenad: its regions are laid out in another way.
#include <unistd.h>

#include <capnp/message.h>

#include "ipc/link.capnp.h"
#include "ipc/link.h"
#include "ipc/process.h"

int main() {
  using namespace arenad;
  Link link{Fd(kLinkDescriptor)};
  capnp::MallocMessageBuilder message;
  auto runtime = message.initRoot<wire::FromTemplate>().initRuntime();
  runtime.setVersion("99.0");
  runtime.setLinkVersion(kLinkVersion);
  runtime.setIncarnationLayout(77);
  if (!link.send(message)) return 1;
  for (;;) ::pause();
}
