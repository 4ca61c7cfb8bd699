# What other schemas here share.
@0xd1c8e0a4b7f29361;

enum Ground {
  grass @0;
  deepSand @1;
}

struct Point {
  x @0 :Int16;
  y @1 :Int16;
  kind :group {
    ground @2 :Ground;
  }
}
