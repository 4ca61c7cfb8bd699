# What a match of the counter has come to: in a schema of its own, which a game may have several of.
@0x9c1e64d8a7f2b035;

using Counter = import "counter.capnp";

struct Total {
  count @0 :UInt32;
  doubled @1 :UInt32;
  version @2 :Text;
  end @3 :Counter.State;
}
