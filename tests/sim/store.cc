#include "tests/sim/store.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace arenad::sim {

void Database::write(const Batch& batch) {
  for (const auto& [id, row] : batch.arenas) arenas[id].row = row;
  for (const StoredSnapshot& checkpoint : batch.checkpoints) {
    auto& all = arenas[checkpoint.snapshot.arena].checkpoints;
    const auto key = [](const StoredSnapshot& s) { return std::pair(s.snapshot.epoch, s.snapshot.frame); };
    std::erase_if(all, [&](const StoredSnapshot& other) { return key(other) == key(checkpoint); });
    all.push_back(checkpoint);
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) > key(b); });
    if (all.size() > 2) all.resize(2);
  }
  for (const auto& [id, result] : batch.results) {
    auto& all = arenas[id].results;
    if (result.position == all.size()) all.push_back(result);  // the first of a sequence stays
  }
  for (const auto& [id, event] : batch.quarantined) arenas[id].quarantined.emplace(event.channel.value, event.sequence);
}

void StoreThread::submit(Batch batch, std::function<void()> completed) {
  waiting_.emplace_back(std::move(batch), std::move(completed));
  wake();
}

void StoreThread::query(Query answered) {
  queries_.push_back(std::move(answered));
  wake();
}

// It may run before arenad's own thread comes any further: what is submitted later in the same step then has to wait for the next
// transaction.
void StoreThread::wake() {
  if (doing_ != Doing::nothing) return;
  if (world_.draw(Stream::disk).one_in(2)) return look();
  doing_ = Doing::waking;
  world_.on_store_thread(50 * kUs, [this] { look(); });
}

void StoreThread::look() {
  doing_ = Doing::nothing;
  answering_ = std::exchange(queries_, {});
  if (!waiting_.empty() && !backs_off_) return commit();
  answer();
}

void StoreThread::commit() {
  doing_ = Doing::committing;
  committing_ = std::exchange(waiting_, {});
  Draw& draw = world_.draw(Stream::disk);
  uint64_t takes_ns = 1 * kMs + draw.below(10 * kMs);
  if (world_.disk_mode() == DiskMode::slow) {
    takes_ns = 200 * kMs + draw.below(3 * kSecond);
    world_.met(Met::commit_slow);
  }
  world_.on_store_thread(takes_ns, [this] { committed(); });
}

void StoreThread::committed() {
  Draw& draw = world_.draw(Stream::disk);
  bool written = true;
  bool told_so = true;
  switch (world_.disk_mode()) {
    case DiskMode::well:
    case DiskMode::slow:
      world_.met(Met::commit);
      break;
    case DiskMode::failing:
      written = told_so = false;
      world_.met(Met::commit_failed);
      break;
    case DiskMode::of_unknown_outcome:
      written = draw.one_in(2);
      told_so = world_.is(Mutant::unknown_commit_is_done);
      world_.met(written ? Met::commit_unknown_done : Met::commit_unknown_lost);
      break;
  }
  auto done = std::exchange(committing_, {});
  if (written) {
    for (const auto& [batch, completed] : done) world_.database().write(batch);
    world_.note("committed", done.size());
  }
  if (told_so) {
    retry_delay_ns_ = 0;
    world_.to_arenad(20 * kUs, [done = std::move(done)] {
      for (const auto& [batch, completed] : done) completed();
    });
  } else {
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(done));
    waiting_ = std::move(done);
    backs_off_ = true;
    retry_delay_ns_ = std::clamp<uint64_t>(retry_delay_ns_ * 2, 100 * kMs, 5 * kSecond);
    world_.on_store_thread(retry_delay_ns_, [this] {
      backs_off_ = false;
      wake();
    });
  }
  answer();
}

// One after the other, then looks what has come meanwhile.
void StoreThread::answer() {
  if (answering_.empty()) {
    doing_ = Doing::nothing;
    if (!queries_.empty() || (!waiting_.empty() && !backs_off_)) look();
    return;
  }
  doing_ = Doing::answering;
  world_.on_store_thread(500 * kUs + world_.draw(Stream::disk).below(5 * kMs), [this] {
    const Query answered = std::move(answering_.front());
    answering_.pop_front();
    answered(world_.database());
    answer();
  });
}

void StoreThread::cut() {
  if (doing_ != Doing::committing) return;
  const bool written = world_.disk_mode() != DiskMode::failing && world_.draw(Stream::disk).one_in(2);
  world_.met(written ? Met::commit_cut_done : Met::commit_cut_lost);
  if (!written) return;
  for (const auto& [batch, completed] : committing_) world_.database().write(batch);
}

}  // namespace arenad::sim
