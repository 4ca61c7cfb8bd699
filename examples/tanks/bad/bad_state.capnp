@0x9d04b3f7c26a15e8;
# The state of a version that has changed the type of a field, which no version may do without an on_migrate().

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tanks::bad_state");
using Tanks = import "/tanks.capnp";

struct State {
  battle @0 :Tanks.BattleState;
  players @1 :List(Tanks.Player);
  gunHeat @2 :List(Float32);      # was List(UInt16)
}
