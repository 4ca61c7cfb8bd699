# Imports from beside it and from a package within, and a schema of Arenad's that has no module.
@0xe47d02b95c1a8f36;

using Map = import "map.capnp";
using Units = import "units/unit.capnp";
using Results = import "/arenad/results.capnp";

const home :Map.Ground = deepSand;

struct Battle {
  start @0 :Map.Point;
  path @1 :List(Map.Point);
  units @2 :List(Units.Unit);
  ground @3 :Map.Ground;
  shots @4 :UInt32 $Results.aggregate(sum);
}
