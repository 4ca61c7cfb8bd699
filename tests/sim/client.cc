#include "tests/sim/client.h"

#include "tests/sim/arenad.h"
#include "tests/sim/world.h"

namespace arenad::sim {

void Client::turn() {
  Draw& draw = world_.draw(Stream::clients);
  world_.after(draw.between(15, 60) * kMs, [this] { turn(); });
  if (state_ == State::away || state_ == State::cut_off) {
    ask();
    return;
  }
  if (state_ != State::attached) return;
  if (world_.now() >= reads_from_ns_) read();
  if (kind_ == ChannelRoster::Kind::observer) return;
  write();
  if (world_.plan().healed()) return;
  if (draw.one_in(150)) reads_from_ns_ = world_.now() + draw.between(500, 4000) * kMs;
  if (draw.one_in(40)) floods_ = !floods_;
  if (draw.one_in(80)) leave(draw.one_in(2));
}

void Client::ask() {
  Arenad* arenad = world_.arenad();
  if (arenad == nullptr || !arenad->is_open()) return;
  const bool back = state_ == State::cut_off;
  if (!back) channel_ = std::make_shared<Channel>(world_.game_of(arena_).channel_records);
  state_ = State::asking;
  asks_to_come_back_ = back;
  ++requests_;
  // What is asked for is in the message: by the time it is read, the client may have gone elsewhere.
  world_.to_arenad(
      50 * kUs, [&world = world_, this, back, id = arena_, channel_id = channel_id_, channel = channel_, request = requests_] {
        ArenaShell* arena = world.arenad()->find(id);
        std::optional<ArenaShell::Attached> attached;
        if (arena != nullptr) attached = back ? arena->reattach(id_, channel_id, channel) : arena->attach(id_, kind_, channel);
        world.after(50 * kUs, [this, attached, back, request] {
          if (state_ != State::asking || requests_ != request) return;
          if (attached) {
            answered(attached->id, attached->outputs_from, attached->live, back);
          } else {
            answered(std::nullopt, 0, nullptr, back);
          }
        });
      });
}

void Client::answered(std::optional<ChannelId> channel, uint64_t from, std::shared_ptr<Region> region, bool is_back) {
  if (!channel) {
    if (is_back) world_.met(Met::reattach_refused);
    state_ = State::away;
    region_.reset();
    return;
  }
  world_.met(is_back ? Met::reattach : Met::join);
  state_ = State::attached;
  channel_id_ = *channel;
  if (!is_back) {
    position_ = from;
    region_.reset();
  }
  if (region) region_ = std::move(region);
}

void Client::incarnation(std::shared_ptr<Region> region) {
  if (state_ != State::attached && state_ != State::asking) return;
  if (state_ == State::attached && region_) read();  // to its end
  region_ = std::move(region);
}

void Client::gone(ChannelId attachment) {
  // It may have come back before it read this.
  if (state_ != State::attached || channel_id_ != attachment) return;
  read();
  state_ = State::away;
  region_.reset();
}

void Client::disconnected() {
  if (state_ == State::attached) state_ = State::cut_off;
  if (state_ == State::asking) state_ = asks_to_come_back_ ? State::cut_off : State::away;
}

void Client::power_cut() {
  state_ = State::away;
  region_.reset();
  channel_.reset();
}

void Client::session_ends() {
  // One that is attached already has come to the arena as it begins now.
  if (region_) read();
  region_.reset();
}

void Client::go_to(ArenaId arena) {
  power_cut();
  arena_ = arena;
}

std::string Client::text() const {
  if (state_ != State::attached) return " is not there";
  if (!region_) return " has no region";
  return " has read " + std::to_string(position_) + " of " + std::to_string(region_->outputs.published) + " outputs, and " +
         std::to_string(world_.checker().taken(arena_, channel_id_)) + " of " + std::to_string(channel_->published) +
         " events of its channel " + std::to_string(channel_id_.value) + " were taken";
}

void Client::leave(bool orderly) {
  world_.met(orderly ? Met::leave : Met::vanish);
  state_ = State::away;
  region_.reset();
  world_.to_arenad(50 * kUs, [&world = world_, this] {
    if (ArenaShell* arena = world.arenad()->find(arena_)) arena->detach(id_);
  });
}

void Client::write() {
  if (!channel_) return;
  if (world_.plan().healed()) {
    floods_ = false;
    if (world_.now() > world_.settings().faults_end_ns + 3 * kSecond) return;
  }
  Draw& draw = world_.draw(Stream::clients);
  uint64_t released = 0;
  if (region_) {
    for (const auto& [seat, entry] : region_->seats) {
      if (entry.channel == channel_id_) released = entry.released;
    }
  }
  const uint64_t room = channel_->ring.size() - (channel_->published - released);
  uint64_t count = floods_ ? room : draw.below(3);
  if (count > room || room == 0) {
    world_.met(Met::ring_full);
    count = room;
  }
  for (uint64_t i = 0; i < count; ++i) {
    Event event{channel_->published + 1, EventKind::plain, draw.next()};
    if (!world_.plan().healed() && draw.one_in(world_.game_of(arena_).bad_event_period)) {
      constexpr EventKind kBad[] = {EventKind::poison, EventKind::hang, EventKind::slow, EventKind::flaky, EventKind::slow};
      event.kind = kBad[draw.below(5)];
    }
    channel_->ring[(event.sequence - 1) % channel_->ring.size()] = event;
    channel_->published = event.sequence;
    world_.checker().sent(arena_, channel_id_, event);
  }
}

void Client::read() {
  if (!region_) return;
  const OutputRing& ring = region_->outputs;
  if (position_ < ring.oldest() && ring.oldest() <= ring.published) {
    world_.checker().lagged(arena_, position_, ring);
    world_.met(Met::lagged);
    position_ = ring.oldest();
  }
  for (; position_ < ring.published; ++position_) world_.checker().read(arena_, id_, position_, ring.at(position_));
}

bool Client::has_caught_up() const {
  return state_ == State::attached && region_ && position_ >= region_->outputs.published &&
         world_.checker().taken(arena_, channel_id_) == channel_->published;
}

}  // namespace arenad::sim
