"""Whole battles: that they are the same each time, go on from their state, and are those of examples/tanks."""

import hashlib
import itertools
import sys
import unittest
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

# After those that PYTHONPATH names: a package that was built has its schema beside it.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from battle_text import map_text, play, situation_text
from drill import Drill
from tanks_py.battle import Battle, new_battle
from tanks_py.tanks_capnp import BattleState, EndReason, Obstacle, ShellState, TankState

# What `oracle SEED PLAYERS SECONDS DRILL | sha256sum` has given for each, and how the battle ends.
GOLDEN = (
    ("battle", 1, 30, 120, "785b35cf1254809aa03df33fd3b528da0d89a511a4015fa010bc8d54f976e7cb", EndReason.time_over),
    ("battle", 2, 17, 120, "57b66f27a7bebeb14a6a6ea8d53c166182a869c870849e02690be74593b2662e", EndReason.time_over),
    ("hunt", 1, 4, 300, "2497c59e6e130b6df456611d658eeaf6bb7b09523c488900b2489fe7638c9156", EndReason.destroyed),
    ("rush", 4, 8, 300, "da00cf45024fa96bb7c29cfff87f2798ac58430af54cdd038abc2377a184f481", EndReason.captured),
    ("truce", 3, 30, 300, "6708d417fd3fe98da8f617dc7ea3ebb65b8facd89d55ae60e4806d426b03fbe5", EndReason.time_over),
    ("madness", 6, 30, 60, "4e78679cacf1a44f5f1b255c965ee8fb2a1c187427aaaf20abadae4a4949522d", EndReason.time_over),
)

T = TypeVar("T")

OBSTACLE_FIELDS = ("x", "y", "half_width", "half_height", "kind")
TANK_FIELDS = (
    *("x", "y", "speed", "hull", "turret", "kind", "hit_points", "reload_ticks", "conspicuous_until", "visible_until"),
    *("discovered", "capture_ticks", "throttle", "turn", "turret_order", "fire", "shots", "hits", "penetrations"),
    *("damage_dealt", "damage_received", "kills", "spotted", "destroyed_at"),
)
SHELL_FIELDS = ("x", "y", "id", "ticks_left", "heading", "shooter", "seen_by_enemy", "gun_of")


def copied(state: BattleState) -> BattleState:
    """What a crash would leave of a battle."""

    def each(kind: type[T], things: Iterable[T], fields: tuple[str, ...]) -> list[T]:
        return [kind(**{field: getattr(thing, field) for field in fields}) for thing in things]

    return BattleState(
        tick=state.tick,
        end_tick=state.end_tick,
        random=state.random,
        next_shell=state.next_shell,
        obstacles=each(Obstacle, state.obstacles, OBSTACLE_FIELDS),
        tanks=each(TankState, state.tanks, TANK_FIELDS),
        shells=each(ShellState, state.shells, SHELL_FIELDS),
    )


def run(battle: Battle, drill: Drill, ticks: int) -> None:
    for _ in range(ticks):
        drill.give_orders(battle)
        battle.tick()


class WholeBattles(unittest.TestCase):
    def test_each_is_that_of_the_game_in_cpp(self) -> None:
        for drill, seed, players, seconds, digest, reason in GOLDEN:
            with self.subTest(drill=drill, seed=seed):
                battle = Battle(new_battle(seed, seconds, players))
                state = battle.situation.state
                text = hashlib.sha256()
                for line in itertools.chain(map_text(state), situation_text(state), play(battle, Drill(drill, seed))):
                    text.update(f"{line}\n".encode())
                self.assertTrue(line.endswith(f" {reason:d}"), line)
                self.assertEqual(text.hexdigest(), digest)

    def test_the_same_seed_gives_the_same_battle_and_another_one_another(self) -> None:
        def text(seed: int) -> list[str]:
            return list(play(Battle(new_battle(seed, seconds=20)), Drill("battle", 5)))

        self.assertEqual(text(8), text(8))
        self.assertNotEqual(text(8), text(9))

    def test_a_battle_goes_on_from_its_state_exactly(self) -> None:
        drills = Drill("battle", 2), Drill("battle", 2)
        battle = Battle(new_battle(2))
        other = Battle(copied(battle.situation.state))
        for _ in range(12):
            for each, drill in zip((battle, other), drills, strict=True):
                run(each, drill, 83)
            self.assertEqual(
                list(situation_text(battle.situation.state)), list(situation_text(other.situation.state))
            )
            other = Battle(copied(other.situation.state))
        self.assertTrue(any(tank.hits for tank in battle.situation.tanks), "nobody has met anyone")


class States(unittest.TestCase):
    def test_players_are_2_to_30(self) -> None:
        for players in (0, 1, 31):
            with self.assertRaises(ValueError):
                new_battle(1, players=players)
        for players in (2, 30):
            self.assertEqual(len(new_battle(1, players=players).tanks), players)

    def test_no_battle_goes_on_from_what_none_can_be(self) -> None:
        def off_the_map(state: BattleState) -> None:
            state.tanks[0].x = 800.5

        def endless_speed(state: BattleState) -> None:
            state.tanks[0].speed = 1e6

        def no_speed_at_all(state: BattleState) -> None:
            state.tanks[0].speed = float("nan")

        def more_than_whole(state: BattleState) -> None:
            state.tanks[0].hit_points = 3001

        def less_than_loaded(state: BattleState) -> None:
            state.tanks[0].reload_ticks = -1

        def alone(state: BattleState) -> None:
            del state.tanks[1:]

        def fired_by_nobody(state: BattleState) -> None:
            state.shells.append(ShellState(shooter=2))

        def flown_away(state: BattleState) -> None:
            state.shells.append(ShellState(x=-1.0))

        spoils = (off_the_map, endless_speed, no_speed_at_all, more_than_whole, less_than_loaded, alone)
        for spoil in (*spoils, fired_by_nobody, flown_away):
            with self.subTest(spoil.__name__):
                state = new_battle(1, players=2)
                spoil(state)
                with self.assertRaises(ValueError):
                    Battle(state)


class Orders(unittest.TestCase):
    def test_beyond_100_per_cent_counts_as_100(self) -> None:
        battle = Battle(new_battle(1))
        battle.give(0, throttle=127, turn=-128, turret=7, fire=True)
        tank = battle.situation.tanks[0]
        self.assertEqual((tank.throttle, tank.turn, tank.turret_order, tank.fire), (100, -100, 7, True))

    def test_a_halt_holds_the_gun_where_it_points(self) -> None:
        battle = Battle(new_battle(1))
        battle.give(0, throttle=100, turn=10, turret=20000, fire=True)
        run(battle, Drill("truce", 1), 5)
        battle.halt(0)
        tank = battle.situation.tanks[0]
        self.assertEqual((tank.throttle, tank.turn, tank.turret_order, tank.fire), (0, 0, tank.turret, False))

    def test_the_end_is_brought_forward_and_never_put_off(self) -> None:
        battle = Battle(new_battle(1, seconds=10))
        battle.end_by(150)
        battle.end_by(190)
        self.assertEqual(battle.situation.state.end_tick, 150)


if __name__ == "__main__":
    unittest.main()
