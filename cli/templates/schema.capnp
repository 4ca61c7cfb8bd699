{{id}};

{{namespace}}using Arenad = import "/arenad/results.capnp";

struct Aim {            # an event: a player shoots at a field
  x @0 :UInt8;
  y @1 :UInt8;
}

struct Shot {           # an output: who has shot, and whether it was a hit
  seat @0 :UInt16;
  x @1 :UInt8;
  y @2 :UInt8;
  hit @3 :Bool;
}

struct Score {          # a player's result, and how the results of several matches add up
  hits @0 :UInt32 $Arenad.aggregate(sum);
  shots @1 :UInt32 $Arenad.aggregate(sum);
}

struct State {          # everything that must survive a crash
  targetX @0 :UInt8;
  targetY @1 :UInt8;
  ticksLeft @2 :UInt32;
  hits @3 :List(UInt32);   # by seat
  shots @4 :List(UInt32);
}
