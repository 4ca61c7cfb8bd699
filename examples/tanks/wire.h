// What goes over the wire, made from what the simulation knows: units, enums and whole messages.
#pragma once

#include <cmath>
#include <cstdint>

#include "battle.h"
#include "tanks.capnp.h"

namespace tanks {

// 1/64 metre; the map's 800 metres fit in 16 bits.
constexpr double kWireUnitsPerMetre = 64;
constexpr double kWireSpeedUnits = 4;  // for each metre per second
static_assert(sim::kMapSizeMetres * kWireUnitsPerMetre <= UINT16_MAX);

inline uint16_t to_wire(double metres) {
  return static_cast<uint16_t>(std::lround(metres * kWireUnitsPerMetre));
}
inline double to_metres(uint16_t wire) {
  return wire / kWireUnitsPerMetre;
}
inline sim::Vec to_metres(uint16_t x, uint16_t y) {
  return {to_metres(x), to_metres(y)};
}

Kind to_wire(sim::Vehicle::Kind kind);
// Throws std::invalid_argument for a kind that does not exist.
sim::Vehicle::Kind from_wire(Kind kind);
sim::Obstacle from_wire(Obstacle::Reader obstacle);
sim::Order from_wire(Order::Reader order);

void fill(Order::Builder message, const sim::Order& order);
void fill(Obstacle::Builder message, const sim::Obstacle& obstacle);

void fill(Assigned::Builder message, const sim::Situation& situation, sim::Seat seat);
void fill(Field::Builder message, const sim::Situation& situation);
void fill(TeamView::Builder message, const sim::Situation& situation, sim::Team team);
void fill(ShotFired::Builder message, const sim::ShotFired& shot);
void fill(Impact::Builder message, const sim::Impact& impact);
void fill(Destroyed::Builder message, const sim::Situation& situation, const sim::Destroyed& destroyed);
void fill(Contact::Builder message, const sim::Contact& contact);
void fill(Capture::Builder message, const sim::CaptureProgress& capture);
void fill(Finished::Builder message, const sim::Outcome& outcome);
void fill(Result::Builder message, const sim::Situation& situation, const sim::Outcome& outcome, sim::Seat seat);

// Room for the largest of these messages, so that each is built where it is sent from.
constexpr size_t kTeamViewWords = 4 + 2 * sim::kMaxTanks;
constexpr size_t kFieldWords = 16 + 2 * sim::kMaxObstacles + 2 + sim::kMaxTanks / 4 + 1 + sim::kMaxTanks;

}  // namespace tanks
