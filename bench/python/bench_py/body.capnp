# The state of the bench game in Python: as many bytes as that of the one in C++ (bench.capnp), as numbers, which a game in Python can change in place.
@0xe7a1c4b9d2f60853;

struct State {
  pokes @0 :UInt64;
  body @1 :List(UInt64);
}
