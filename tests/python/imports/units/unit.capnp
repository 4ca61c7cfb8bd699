@0xa9e35b1f0c6d7284;

using Map = import "../map.capnp";

struct Unit {
  at @0 :Map.Point;
  likes @1 :Map.Ground;
}
