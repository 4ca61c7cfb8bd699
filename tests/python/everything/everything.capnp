# Every kind of field that a schema can have.
@0xb6f2c1d9a4e37705;

const answer :UInt16 = 42;
const greeting :Text = "hello";

enum Colour {
  red @0;
  darkBlue @1;
}
const favourite :Colour = darkBlue;
const blob :Data = 0x"0102";

struct Inner {
  a @0 :UInt32;
  name @1 :Text;
}

struct Numbers {
  b @0 :Bool;
  i8 @1 :Int8;
  i16 @2 :Int16;
  i32 @3 :Int32;
  i64 @4 :Int64;
  u8 @5 :UInt8;
  u16 @6 :UInt16;
  u32 @7 :UInt32;
  u64 @8 :UInt64;
  f32 @9 :Float32;
  f64 @10 :Float64;
  colour @11 :Colour;
  nothing @12 :Void;
}

struct Defaults {
  yes @0 :Bool = true;
  minus @1 :Int16 = -7;
  half @2 :Float64 = 0.5;
  colour @3 :Colour = darkBlue;
  word @4 :Text = "word";
  bytes @5 :Data = 0x"0a0b";
}

struct Lists {
  bools @0 :List(Bool);
  smalls @1 :List(Int8);
  bigs @2 :List(UInt64);
  floats @3 :List(Float32);
  colours @4 :List(Colour);
  texts @5 :List(Text);
  datas @6 :List(Data);
  structs @7 :List(Inner);
  nested @8 :List(List(UInt16));
}

struct Choice {
  before @0 :UInt8;
  union {
    none @1 :Void;
    number @2 :Int32;
    text @3 :Text;
    inner @4 :Inner;
    pair :group {
      x @5 :Int16;
      y @6 :Int16;
    }
  }
}

struct Grouped {
  place :group {
    x @0 :Float64;
    y @1 :Float64;
    tag @2 :Text;
  }
  after @3 :UInt8;
}

struct Tree {
  value @0 :UInt32;
  left @1 :Tree;
  right @2 :Tree;
}

struct Outer {
  struct Nested {
    value @0 :UInt8;
  }
  enum Kind {
    plain @0;
    fancy @1;
  }
  nested @0 :Nested;
  kind @1 :Kind;
  # Two names that Python has words for.
  class @2 :UInt8;
  hitPointsLeft @3 :UInt16;
}

struct Chain {
  next @0 :Chain;
  at @1 :Inner;
}

struct Naming {
  reader :group {
    x @0 :UInt8;
  }
}
