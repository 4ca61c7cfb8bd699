"""Who sees whom. A team sees an enemy while one of its tanks spots it, and a while longer.

A tank spots an enemy within its view range if nothing hides it. The range is shorter for a target
that neither moves nor has just fired. Very near, an enemy is noticed through anything.

Each tank is looked for every SPOTTING_TICKS only, and not all in the same tick: lines of sight are
the dearest part of a battle.
"""

from .fact import Contact, Fact
from .situation import NOBODY, Situation, enemy_of, team_of
from .vehicle import TICKS_PER_SECOND, VEHICLES

SPOTTING_TICKS = 10
VISIBLE_TICKS = 3 * TICKS_PER_SECOND
NOTICED_METRES = 40.0
assert VISIBLE_TICKS > SPOTTING_TICKS, "a tank in full view would flicker"
# What is very near is within every view: the two distances are looked at in that order.
assert min(v.view_metres for v in VEHICLES) * min(v.concealment for v in VEHICLES) > NOTICED_METRES


def spot_tanks(situation: Situation, facts: list[Fact]) -> None:
    tick = situation.state.tick
    for seat, tank in enumerate(situation.tanks):
        if tank.hit_points <= 0:
            continue
        if (tick + seat) % SPOTTING_TICKS == 0:
            _look_for(situation, seat, facts)
        if tank.visible_until == tick:
            facts.append(Contact(seat, NOBODY))


def _look_for(situation: Situation, target: int, facts: list[Fact]) -> None:
    spotter = _find_spotter(situation, target)
    if spotter == NOBODY:
        return
    tick = situation.state.tick
    tank = situation.tanks[target]
    was_visible = tick < tank.visible_until
    tank.visible_until = tick + VISIBLE_TICKS
    if not tank.discovered:
        tank.discovered = True
        situation.tanks[spotter].spotted += 1
    if not was_visible:
        facts.append(Contact(target, spotter))


def _find_spotter(situation: Situation, target: int) -> int:
    """The first enemy of a target that spots it."""
    tanks, vehicles = situation.tanks, situation.vehicles
    xs, ys = situation.places.xs, situation.places.ys
    x, y = xs[target], ys[target]
    hidden = 1.0 if _is_conspicuous(situation, target) else vehicles[target].concealment
    for seat in situation.seats_of[enemy_of(team_of(target))]:
        offset_x, offset_y = xs[seat] - x, ys[seat] - y
        squared = offset_x * offset_x + offset_y * offset_y
        view = vehicles[seat].view_metres * hidden
        if squared > view * view or tanks[seat].hit_points <= 0:
            continue
        if squared <= NOTICED_METRES * NOTICED_METRES or situation.map.sees(xs[seat], ys[seat], x, y):
            return seat
    return NOBODY


def _is_conspicuous(situation: Situation, seat: int) -> bool:
    tank = situation.tanks[seat]
    return tank.speed != 0 or situation.state.tick < tank.conspicuous_until
