@0xd2c64e7f90b1a358;
# The ledger's state in a later version: a field was added.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::ledger_adds");

struct State {
  digest @0 :UInt64;
  count @1 :UInt64;
  balances @2 :List(UInt64);
  handovers @3 :UInt32;
}
