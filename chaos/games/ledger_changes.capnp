@0x9be3a0c75d1f2846;
# The ledger's state in a later version that has changed the type of a field, which a version must not do without an on_migrate().

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::ledger_changes");

struct State {
  digest @0 :UInt64;
  count @1 :Text;
  balances @2 :List(UInt64);
}
