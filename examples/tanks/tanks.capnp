# What a battle of tanks says and hears, and what it keeps.
#
#   Order      from a client to the arena; flat, so that it takes the fast path
#   outputs    from the arena to clients; who gets each is said with it
#   Result     one for each seat, at the end
#   State      everything that must survive a crash; no client sees it
#
# Units: positions in 1/64 metre from the map's south-west corner, angles 65536 to a full turn
# anticlockwise from the x axis, times in ticks of 1/20 second. Even seats are team 0, odd seats
# team 1.
@0x8e0c7cd7266c9333;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("tanks");
using Arenad = import "/arenad/results.capnp";

const nobody :UInt8 = 255;

enum Kind {
  light @0;
  medium @1;
  heavy @2;
}

# ---- events --------------------------------------------------------------------------------------

struct Order {
  # Stands until the next one.
  throttle @0 :Int8;   # per cent; negative is astern
  turn @1 :Int8;       # per cent of the hull's turn rate; positive is anticlockwise
  turret @2 :UInt16;   # where the gun shall point, on the map
  fire @3 :Bool;       # whenever the gun is loaded
}

# ---- outputs -------------------------------------------------------------------------------------

struct Assigned {
  # To a seat that has joined: it commands this tank.
  seat @0 :UInt8;
  team @1 :UInt8;
  kind @2 :Kind;
}

struct Point {
  x @0 :UInt16;
  y @1 :UInt16;
}

enum ObstacleKind {
  rock @0;       # a circle; stops tanks and shells, hides
  building @1;   # an upright box; likewise
  wood @2;       # a circle; only hides
}

struct Obstacle {
  x @0 :UInt16;
  y @1 :UInt16;
  halfWidth @2 :UInt16;    # the radius of a circle
  halfHeight @3 :UInt16;
  kind @4 :ObstacleKind;
}

struct Wreck {
  seat @0 :UInt8;
  hull @1 :UInt16;
  x @2 :UInt16;
  y @3 :UInt16;
}

struct Field {
  # To seats that have joined: all that the later outputs build upon.
  tick @0 :UInt32;
  endTick @1 :UInt32;
  size @2 :UInt16;
  baseRadius @3 :UInt16;
  bases @4 :List(Point);      # of team 0 and of team 1
  obstacles @5 :List(Obstacle);
  kinds @6 :List(Kind);       # one for each seat
  wrecks @7 :List(Wreck);
}

struct Player {
  name @0 :Text;
  present @1 :Bool;
}

struct Roster {
  # To everyone, when someone joins or leaves.
  players @0 :List(Player);   # one for each seat; without a name if nobody ever joined there
}

struct TankView {
  seat @0 :UInt8;
  speed @1 :Int8;             # 1/4 metre per second; negative is astern
  x @2 :UInt16;
  y @3 :UInt16;
  hull @4 :UInt16;
  turret @5 :UInt16;
  hitPoints @6 :UInt16;
  reloadTicks @7 :UInt16;     # of one's own team only; 0 for enemies
}

struct TeamView {
  # To a team, each tick: its own tanks, and the enemies that it sees, in the order of their seats.
  tick @0 :UInt32;
  tanks @1 :List(TankView);
}

struct ShotFired {
  # To the team that fired, and to the other one if it sees the shooter. The shell flies straight
  # on, at the speed and over the range of that kind of tank, until an Impact tells otherwise.
  shell @0 :UInt32;
  shooter @1 :UInt8;
  heading @2 :UInt16;
  x @3 :UInt16;
  y @4 :UInt16;
}

enum Facing {
  front @0;
  side @1;
  rear @2;
}

enum Effect {
  obstacle @0;
  blocked @1;          # a friend or a wreck, unharmed
  ricochet @2;
  noPenetration @3;
  penetration @4;
}

struct Impact {
  # To everyone if an enemy was hit; otherwise to those who know the shell.
  shell @0 :UInt32;
  x @1 :UInt16;
  y @2 :UInt16;
  heading @3 :UInt16;  # of the shell: whence it came can be guessed even if the shooter is unseen
  damage @4 :UInt16;
  victim @5 :UInt8;    # nobody: an obstacle
  effect @6 :Effect;
  facing @7 :Facing;   # of the victim
}

struct Destroyed {
  # To everyone.
  seat @0 :UInt8;
  by @1 :UInt8;
  hull @2 :UInt16;     # of the wreck
  x @3 :UInt16;
  y @4 :UInt16;
}

struct Contact {
  # To the team that begins or ceases to see an enemy.
  seat @0 :UInt8;
  spotter @1 :UInt8;   # nobody: it is lost
}

struct Exposed {
  # To the seat that the other team begins or ceases to see.
  exposed @0 :Bool;
}

struct Capture {
  # To everyone, once a second while a base is being captured, and when that begins or ends.
  owner @0 :UInt8;
  invaders @1 :UInt8;
  contested @2 :Bool;
  ticks @3 :UInt32;
  neededTicks @4 :UInt32;
}

struct Clock {
  # To everyone, when the end of the battle is brought forward.
  tick @0 :UInt32;
  endTick @1 :UInt32;
}

enum EndReason {
  destroyed @0;
  captured @1;
  timeOver @2;
}

struct Finished {
  # To everyone: the last output of a battle.
  winner @0 :UInt8;    # nobody: a draw
  reason @1 :EndReason;
}

# ---- results -------------------------------------------------------------------------------------

enum Standing {
  lost @0;
  drawn @1;
  won @2;
}

struct Result {
  team @0 :UInt8 $Arenad.aggregate(skip);
  kind @1 :Kind $Arenad.aggregate(last);
  standing @2 :Standing $Arenad.aggregate(last);
  reason @3 :EndReason $Arenad.aggregate(skip);
  survived @4 :Bool $Arenad.aggregate(sum);
  shots @5 :UInt32 $Arenad.aggregate(sum);
  hits @6 :UInt32 $Arenad.aggregate(sum);
  penetrations @7 :UInt32 $Arenad.aggregate(sum);
  damageDealt @8 :UInt32 $Arenad.aggregate(sum);
  damageReceived @9 :UInt32 $Arenad.aggregate(sum);
  kills @10 :UInt32 $Arenad.aggregate(sum);
  spotted @11 :UInt32 $Arenad.aggregate(sum);
  captureTicks @12 :UInt32 $Arenad.aggregate(sum);
  aliveTicks @13 :UInt32 $Arenad.aggregate(max);
}

# ---- state ---------------------------------------------------------------------------------------

struct TankState {
  x @0 :Float64;
  y @1 :Float64;
  speed @2 :Float64;
  hull @3 :UInt16;
  turret @4 :UInt16;
  kind @5 :Kind;
  hitPoints @6 :Int32;
  reloadTicks @7 :Int32;
  conspicuousUntil @8 :UInt32;
  visibleUntil @9 :UInt32;
  discovered @10 :Bool;
  captureTicks @11 :UInt32;

  throttle @12 :Int8;
  turn @13 :Int8;
  turretOrder @14 :UInt16;
  fire @15 :Bool;

  shots @16 :UInt32;
  hits @17 :UInt32;
  penetrations @18 :UInt32;
  damageDealt @19 :UInt32;
  damageReceived @20 :UInt32;
  kills @21 :UInt32;
  spotted @22 :UInt32;
  destroyedAt @23 :UInt32;
}

struct ShellState {
  x @0 :Float64;
  y @1 :Float64;
  id @2 :UInt32;
  ticksLeft @3 :Int32;
  heading @4 :UInt16;
  shooter @5 :UInt8;
  seenByEnemy @6 :Bool;
  gunOf @7 :Kind;
}

struct BattleState {
  tick @0 :UInt32;
  endTick @1 :UInt32;
  random @2 :UInt64;
  nextShell @3 :UInt32;
  obstacles @4 :List(Obstacle);
  tanks @5 :List(TankState);
  shells @6 :List(ShellState);
}

struct State {
  battle @0 :BattleState;
  players @1 :List(Player);
}
