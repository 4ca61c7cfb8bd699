@0xc1f5e0a2b7d84936;
# The state of version 2.0 (hot_guns.h): that of 1.0 with a field added at its end. A game that is not kept in
# two versions side by side adds the field to its own State instead.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tanks::hot_guns");
using Tanks = import "tanks.capnp";

struct State {
  battle @0 :Tanks.BattleState;
  players @1 :List(Tanks.Player);
  gunHeat @2 :List(UInt16);       # of each tank: ticks until its gun is cold
}
