@0xa614c2dd4db0bb8f;
# Results for tests: of every kind that is read, with every aggregate.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::test");
using Arenad = import "/arenad/results.capnp";

enum Rank {
  recruit @0;
  sergeant @1;
  captain @2;
}

struct Place {
  x @0 :Int32;
  y @1 :Int32;
}

struct Battle {
  team @0 :UInt8 $Arenad.aggregate(skip);
  damageDealt @1 :UInt64 $Arenad.aggregate(sum);
  longestShot @2 :Float64 $Arenad.aggregate(max);
  rank @3 :Rank $Arenad.aggregate(max);
  won @4 :Bool $Arenad.aggregate(sum);
  cheated @5 :Bool $Arenad.aggregate(any);
  tank @6 :Text $Arenad.aggregate(last);
  kills @7 :Int32;               # those without an aggregate
  alive @8 :Bool;
  clan @9 :Text;
  places @10 :List(Place);
  at :group {
    x @11 :Int32 $Arenad.aggregate(max);
    y @12 :Int32 $Arenad.aggregate(max);
  }
  union {
    time @13 :UInt32;
    captured @14 :UInt32;
    surrendered @15 :Void;
  }
}

struct BattleLater {             # of a later version: a field more, and another aggregate
  team @0 :UInt8 $Arenad.aggregate(skip);
  damageDealt @1 :UInt64 $Arenad.aggregate(max);
  assists @2 :UInt32 $Arenad.aggregate(sum);
}
