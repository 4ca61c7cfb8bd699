@0xe18cdd4f1b9da3c6;
# Versions of one game's state. Each changes one thing against Base.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("arenad::test::versions");

struct Base {
  enum Mood { calm @0; wild @1; }
  struct Unit {
    hp @0 :UInt16;
    name @1 :Text;
    children @2 :List(Unit);
  }
  struct State {
    tick @0 :UInt64;
    speed @1 :Float32 = 1.5;
    mood @2 :Mood;
    title @3 :Text = "none";
    units @4 :List(Unit);
    leader @5 :Unit;
    scores @6 :List(Int32);
    grid @7 :List(List(UInt8));
    place :group {
      x @8 :Int32;
      y @9 :Int32;
    }
    union {
      idle @10 :Void;
      target @11 :UInt32;
      path @12 :List(Float64);
    }
    weapon :union {
      none @13 :Void;
      gun @14 :UInt16;
      rocket :group {
        kind @15 :UInt16;
        fuel @16 :Float32;
      }
    }
  }
}

# ---- small versions: what they change is all that they have ---------------------------------------------------------

struct Two { struct State { a @0 :UInt32; b @1 :UInt32; } }
struct TwoOtherNames { struct State { alpha @0 :UInt32; beta @1 :UInt32; } }
struct TwoOtherType { struct State { a @0 :UInt32; b @1 :Int32; } }
struct TwoWiderType { struct State { a @0 :UInt32; b @1 :UInt64; } }
struct TwoPointer { struct State { a @0 :UInt32; b @1 :Text; } }
struct TwoData { struct State { a @0 :UInt32; b @1 :Data; } }
struct TwoOtherDefault { struct State { a @0 :UInt32; b @1 :UInt32 = 7; } }
struct TwoZeroDefault { struct State { a @0 :UInt32; b @1 :UInt32 = 0; } }
struct TwoSwapped { struct State { b @0 :UInt32; a @1 :UInt32; } }
struct Three { struct State { a @0 :UInt32; b @1 :UInt32; c @2 :Text; } }
struct TwoInGroup { struct State { a @0 :UInt32; g :group { b @1 :UInt32; } } }
struct TwoInOtherGroup { struct State { a @0 :UInt32; h :group { b @1 :UInt32; } } }
struct TwoInGroupOtherType { struct State { a @0 :UInt32; g :group { b @1 :Int32; } } }
struct TwoInOtherGroupOtherType { struct State { a @0 :UInt32; h :group { b @1 :Int32; } } }
struct TwoInDeepGroupOtherType { struct State { a @0 :UInt32; g :group { h :group { b @1 :Int32; } } } }

struct Union { struct State { union { a @0 :UInt32; b @1 :UInt32; } } }
struct UnionNamed { struct State { u :union { a @0 :UInt32; b @1 :UInt32; } } }
struct UnionOtherName { struct State { v :union { a @0 :UInt32; b @1 :UInt32; } } }
struct UnionOtherNameOtherType { struct State { v :union { a @0 :UInt32; b @1 :Float32; } } }
struct UnionMore { struct State { union { a @0 :UInt32; b @1 :UInt32; c @2 :Text; } } }

# All members lie in the same place and have the same numbers, but the tag of u is behind `other` in the one.
struct TagLate { struct State { u :union { a @0 :UInt16; b @2 :UInt16; } other @1 :UInt16; } }
struct TagEarly { struct State { u @1! :union { a @0 :UInt16; b @2 :UInt16; } } }

struct Nested {
  struct Inner { x @0 :Int32; y @1 :Int32; }
  struct State { inner @0 :Inner; list @1 :List(Inner); deep @2 :List(List(Inner)); }
}
struct NestedOther {
  struct Inner { x @0 :Int32; y @1 :Float32; }
  struct State { inner @0 :Inner; list @1 :List(Inner); deep @2 :List(List(Inner)); }
}
struct NestedMore {
  struct Inner { x @0 :Int32; y @1 :Int32; z @2 :Int32; }
  struct State { inner @0 :Inner; list @1 :List(Inner); deep @2 :List(List(Inner)); }
}
struct NestedRenamed {
  struct Point { x @0 :Int32; y @1 :Int32; }
  struct State { inner @0 :Point; list @1 :List(Point); deep @2 :List(List(Point)); }
}
struct OnlyDeep {
  struct Inner { x @0 :Int32; }
  struct State { deep @0 :List(List(Inner)); }
}
struct OnlyDeepOther {
  struct Inner { x @0 :UInt32; }
  struct State { deep @0 :List(List(Inner)); }
}

struct Lists { struct State { scores @0 :List(Int32); } }
struct ListsOther { struct State { scores @0 :List(Int64); } }
struct ListsDeeper { struct State { scores @0 :List(List(Int32)); } }
struct ListsStruct { struct Score { value @0 :Int32; } struct State { scores @0 :List(Score); } }

struct Tree { struct State { value @0 :UInt32; children @1 :List(State); } }
struct TreeMore { struct State { value @0 :UInt32; children @1 :List(State); name @2 :Text; } }
struct TreeOther { struct State { value @0 :Float32; children @1 :List(State); } }
# The same twice, of two types that contain each other.
struct TreeTwofold {
  struct State { value @0 :UInt32; children @1 :List(Other); }
  struct Other { value @0 :UInt32; children @1 :List(State); }
}
struct TreeTwofoldOther {
  struct State { value @0 :UInt32; children @1 :List(Other); }
  struct Other { value @0 :Int32; children @1 :List(State); }
}

struct Enums { enum Mood { calm @0; wild @1; } struct State { mood @0 :Mood; } }
struct EnumsMore { enum Mood { calm @0; wild @1; sad @2; } struct State { mood @0 :Mood; } }
struct EnumsNumber { struct State { mood @0 :UInt16; } }
