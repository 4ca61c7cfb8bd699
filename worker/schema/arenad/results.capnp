@0xbb4843375ca8593d;
# How the fields of a game's results add up. `arenactl results --by` goes by it: it shows one row for a player, an arena or whatever else, and
# this is what becomes of the fields of all results in it.
#
#     using Arenad = import "/arenad/results.capnp";
#
#     struct Score {
#       hits @0 :UInt32 $Arenad.aggregate(sum);
#       streak @1 :UInt32 $Arenad.aggregate(max);
#       won @2 :Bool $Arenad.aggregate(sum);        # of a Bool: how often it was true
#     }
#
# A field without it: numbers are summed up, of a Bool it is any, of texts and enumerations the last; lists and structs are skipped.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::results");

annotation aggregate @0x90e0bed6a53be8ad (field) :Aggregate;

enum Aggregate {
  skip @0;    # it says nothing about several results together: a team, a place on a map
  sum @1;     # of numbers; of a Bool how often it was true
  max @2;     # the largest; of an enumeration the value that is declared last
  last @3;    # as in the newest result
  any @4;     # whether it was true in any of them, or not zero, or not empty
}
