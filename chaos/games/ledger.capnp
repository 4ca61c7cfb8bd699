@0xb7a1f2c94d6e8035;
# A game for proofs: everything that it is told it books, and after every frame it says what its whole past comes to, so that whoever
# hears its outputs can compute the same and compare it at every frame (chaos/rig/ledger_model.h).
#
# digest: 0 at first; for each entry, in the order in which it was applied, mixed with seat, number and the seat's balance after it; at
# the end of each frame, mixed with the frame's number. Mixing d with x, all in 64 bits without a sign:
#     z = (d xor x) * 0x9E3779B97F4A7C15;  d = (z xor (z >> 32)) * 0xD6E8FEB86659FD93 + 1

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::ledger");

struct State {
  digest @0 :UInt64;
  count @1 :UInt64;             # entries
  balances @2 :List(UInt64);    # of each seat
}

# Event. A number that can be divided by 4 brings an Award.
struct Entry {
  number @0 :UInt64;
  amount @1 :UInt64;
}

# Event that ends whoever applies it, each time anew. No player of the ledger sends one.
struct Poison {
  how @0 :How;
  enum How {
    segv @0;
    abort @1;
    throw @2;
    exit @3;
    hang @4;
    blame @5;                   # the game says that it is the event's doing
  }
}

# Outputs, for everyone.
struct Booked {                 # one for each entry
  seat @0 :UInt16;
  number @1 :UInt64;
  amount @2 :UInt64;
}
struct Closed {                 # one for each frame, its last output
  frame @0 :UInt64;
  digest @1 :UInt64;
  count @2 :UInt64;
}

# Result, for the seat.
struct Award {
  seat @0 :UInt16;
  number @1 :UInt64;
  balance @2 :UInt64;           # right after the entry
}
