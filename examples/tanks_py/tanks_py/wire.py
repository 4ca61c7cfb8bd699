"""What goes over the wire, made from what the simulation knows: units and whole messages."""

from . import fact
from .capture import CAPTURED_TICKS
from .map import BASE_RADIUS_METRES, BASES, SIZE_METRES
from .situation import NOBODY, Situation, enemy_of, team_of
from .tanks_capnp import (
    Assigned,
    Capture,
    Contact,
    Destroyed,
    EndReason,
    Exposed,
    Field,
    Finished,
    Impact,
    Point,
    Result,
    ShotFired,
    Standing,
    TankState,
    TankView,
    TeamView,
    Wreck,
)
from .units import WIRE_UNITS_PER_METRE, to_wire

WIRE_SPEED_UNITS = 4  # for each metre per second


def assigned(situation: Situation, seat: int) -> Assigned:
    return Assigned(seat=seat, team=team_of(seat), kind=situation.tanks[seat].kind)


def field(situation: Situation) -> Field:
    state, tanks = situation.state, situation.tanks
    return Field(
        tick=state.tick,
        end_tick=state.end_tick,
        size=to_wire(SIZE_METRES),
        base_radius=to_wire(BASE_RADIUS_METRES),
        bases=[Point(x=to_wire(x), y=to_wire(y)) for x, y in BASES],
        obstacles=state.obstacles,
        kinds=[tank.kind for tank in tanks],
        wrecks=[
            Wreck(seat=seat, hull=tank.hull, x=to_wire(tank.x), y=to_wire(tank.y))
            for seat, tank in enumerate(tanks)
            if tank.hit_points <= 0
        ],
    )


def team_views(situation: Situation) -> tuple[TeamView, TeamView]:
    """What each team sees: its own tanks, and the enemies that are visible to it.

    Both in one pass, since every tick sends them.
    """
    tick = situation.state.tick
    views: tuple[list[TankView], list[TankView]] = [], []
    for seat, tank in enumerate(situation.tanks):
        if tank.hit_points <= 0:
            continue
        team, reload_ticks = team_of(seat), tank.reload_ticks
        view = _tank_view(seat, tank, reload_ticks)
        views[team].append(view)
        if tick < tank.visible_until:
            views[enemy_of(team)].append(view if reload_ticks == 0 else _tank_view(seat, tank, 0))
    return TeamView(tick=tick, tanks=views[0]), TeamView(tick=tick, tanks=views[1])


def _tank_view(seat: int, tank: TankState, reload_ticks: int) -> TankView:
    return TankView(
        seat=seat,
        speed=int(tank.speed * WIRE_SPEED_UNITS),
        x=int(tank.x * WIRE_UNITS_PER_METRE + 0.5),
        y=int(tank.y * WIRE_UNITS_PER_METRE + 0.5),
        hull=tank.hull,
        turret=tank.turret,
        hit_points=tank.hit_points,
        reload_ticks=reload_ticks,
    )


def shot_fired(happened: fact.ShotFired) -> ShotFired:
    return ShotFired(
        shell=happened.shell,
        shooter=happened.shooter,
        heading=happened.heading,
        x=to_wire(happened.x),
        y=to_wire(happened.y),
    )


def impact(happened: fact.Impact) -> Impact:
    return Impact(
        shell=happened.shell,
        x=to_wire(happened.x),
        y=to_wire(happened.y),
        heading=happened.heading,
        damage=happened.damage,
        victim=happened.victim,
        effect=happened.effect,
        facing=happened.facing,
    )


def destroyed(situation: Situation, happened: fact.Destroyed) -> Destroyed:
    wreck = situation.tanks[happened.seat]
    return Destroyed(
        seat=happened.seat, by=happened.by, hull=wreck.hull, x=to_wire(wreck.x), y=to_wire(wreck.y)
    )


def contact(happened: fact.Contact) -> Contact:
    return Contact(seat=happened.seat, spotter=happened.spotter)


def exposed(happened: fact.Contact) -> Exposed:
    return Exposed(exposed=happened.spotter != NOBODY)


def capture_progress(happened: fact.CaptureProgress) -> Capture:
    return Capture(
        owner=happened.owner,
        invaders=happened.invaders,
        contested=happened.contested,
        ticks=happened.ticks,
        needed_ticks=CAPTURED_TICKS,
    )


def finished(winner: int, reason: EndReason) -> Finished:
    return Finished(winner=winner, reason=reason)


def result(situation: Situation, winner: int, reason: EndReason, seat: int) -> Result:
    tank = situation.tanks[seat]
    alive = tank.hit_points > 0
    return Result(
        team=team_of(seat),
        kind=tank.kind,
        standing=_standing(team_of(seat), winner),
        reason=reason,
        survived=alive,
        shots=tank.shots,
        hits=tank.hits,
        penetrations=tank.penetrations,
        damage_dealt=tank.damage_dealt,
        damage_received=tank.damage_received,
        kills=tank.kills,
        spotted=tank.spotted,
        capture_ticks=tank.capture_ticks,
        alive_ticks=situation.state.tick if alive else tank.destroyed_at,
    )


def _standing(team: int, winner: int) -> Standing:
    if winner == NOBODY:
        return Standing.drawn
    return Standing.won if team == winner else Standing.lost
