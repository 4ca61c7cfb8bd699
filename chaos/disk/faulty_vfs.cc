#include "chaos/disk/faulty_vfs.h"

#include <cstring>
#include <new>
#include <unistd.h>

namespace arenad::test {
namespace {

// Of the one that lives.
sqlite3_vfs* system_vfs = nullptr;
sqlite3_vfs layer{};
FaultOrders* orders = nullptr;
UnsyncedDisk* disk = nullptr;
std::atomic<bool> power{true};

int io_error_of(Call call) {
  switch (call) {
    case Call::open:
      return SQLITE_CANTOPEN;
    case Call::read:
      return SQLITE_IOERR_READ;
    case Call::write:
      return SQLITE_IOERR_WRITE;
    case Call::sync:
      return SQLITE_IOERR_FSYNC;
    case Call::truncate:
      return SQLITE_IOERR_TRUNCATE;
    case Call::remove:
      return SQLITE_IOERR_DELETE;
    case Call::lock:
      return SQLITE_BUSY;
  }
  return SQLITE_IOERR;
}

FileKind kind_of(std::string_view path) {
  if (path.ends_with("-wal")) return FileKind::wal;
  return path.empty() || path.ends_with("-journal") ? FileKind::other : FileKind::database;
}

// do_it does the call and gives SQLite's code; after a call that was done on purpose but must not reach the disk, forget does the rest.
template <class DoIt, class Forget>
int carry_out(Call call, FileKind kind, DoIt do_it, Forget forget) {
  if (!power.load()) return io_error_of(call);
  const FaultOrders::Order order = orders->next(call, kind);
  if (!order.is_due) return do_it();
  const int code = order.code != 0 ? order.code : io_error_of(call);
  switch (order.effect) {
    case Effect::refused:
      return code;
    case Effect::done:
      do_it();
      return code;
    case Effect::delayed:
      ::usleep(static_cast<useconds_t>(order.delay_ms * 1000));
      return do_it();
    case Effect::power_cut:
      power.store(false);
      return io_error_of(call);
    case Effect::lost:
      forget();
      return code;
    case Effect::denied:
      return SQLITE_OK;
  }
  return code;
}

template <class DoIt>
int carry_out(Call call, FileKind kind, DoIt do_it) {
  return carry_out(call, kind, do_it, [] {});
}

}  // namespace

const char* to_string(Call call) {
  switch (call) {
    case Call::open:
      return "open";
    case Call::read:
      return "read";
    case Call::write:
      return "write";
    case Call::sync:
      return "sync";
    case Call::truncate:
      return "truncate";
    case Call::remove:
      return "delete";
    case Call::lock:
      return "lock";
  }
  return "?";
}

const char* to_string(FileKind kind) {
  switch (kind) {
    case FileKind::database:
      return "database";
    case FileKind::wal:
      return "-wal";
    case FileKind::other:
      return "other";
  }
  return "?";
}

// ---- Orders ----

void FaultOrders::arm(const Fault& fault) {
  heal();
  calls_.store(fault.calls);
  files_.store(fault.files);
  effect_.store(static_cast<uint32_t>(fault.effect));
  lasting_.store(static_cast<uint32_t>(fault.lasting));
  code_.store(fault.code);
  delay_ms_.store(fault.delay_ms);
  before_.store(fault.nth - 1);
  fired_.store(0);
  armed_.store(1);
}

uint64_t FaultOrders::count(Call call, FileKind kind) const {
  return counts_[static_cast<size_t>(call) * kFileKinds + static_cast<size_t>(kind)].load();
}

FaultOrders::Order FaultOrders::next(Call call, FileKind kind) {
  ++counts_[static_cast<size_t>(call) * kFileKinds + static_cast<size_t>(kind)];
  if (armed_.load() == 0 || (calls_.load() & bit(call)) == 0 || (files_.load() & bit(kind)) == 0) return {};
  // Only the store's thread comes here.
  if (const uint64_t before = before_.load(); before > 0) {
    before_.store(before - 1);
    return {};
  }
  if (static_cast<Lasting>(lasting_.load()) == Lasting::once) armed_.store(0);
  ++fired_;
  return {true, static_cast<Effect>(effect_.load()), code_.load(), delay_ms_.load()};
}

// ---- Files ----

// Lies in the memory that SQLite provides for a file; the system's own lies behind it.
struct FaultyVfs::File {
  sqlite3_file base;
  sqlite3_io_methods methods;  // of this file: the system's VFS has a table for each way of locking
  FileKind kind;
  std::string path;

  static constexpr size_t kBytes = 512;  // of this, aligned for what lies behind it
  [[nodiscard]] sqlite3_file* system() { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(this) + kBytes); }
};

struct FaultyVfs::Calls {
  static_assert(sizeof(File) <= File::kBytes);

  static File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* system(sqlite3_file* file) { return of(file).system(); }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* memory, int flags, int* out) {
    File* file = new (memory) File{};
    file->path = name == nullptr ? "" : name;
    file->kind = kind_of(file->path);
    sqlite3_file* below = file->system();
    std::memset(below, 0, static_cast<size_t>(system_vfs->szOsFile));
    const bool is_kept = disk != nullptr && !file->path.empty();
    const int code = carry_out(Call::open, file->kind, [&] {
      if (is_kept) disk->opening(file->path);
      const int opened = system_vfs->xOpen(system_vfs, name, below, flags, out);
      if (is_kept && opened == SQLITE_OK) disk->opened(file->path);
      return opened;
    });
    if (code != SQLITE_OK) {
      if (below->pMethods != nullptr) below->pMethods->xClose(below);
      file->~File();
      memory->pMethods = nullptr;
      return code;
    }
    fill(file->methods, *below->pMethods);
    memory->pMethods = &file->methods;
    return SQLITE_OK;
  }

  static void fill(sqlite3_io_methods& to, const sqlite3_io_methods& below) {
    to = below;
    to.xClose = close;
    to.xRead = read;
    to.xWrite = write;
    to.xTruncate = truncate;
    to.xSync = sync;
    to.xFileSize = [](sqlite3_file* f, sqlite3_int64* bytes) { return system(f)->pMethods->xFileSize(system(f), bytes); };
    to.xLock = [](sqlite3_file* f, int level) { return system(f)->pMethods->xLock(system(f), level); };
    to.xUnlock = [](sqlite3_file* f, int level) { return system(f)->pMethods->xUnlock(system(f), level); };
    to.xCheckReservedLock = [](sqlite3_file* f, int* is) { return system(f)->pMethods->xCheckReservedLock(system(f), is); };
    to.xFileControl = [](sqlite3_file* f, int op, void* arg) { return system(f)->pMethods->xFileControl(system(f), op, arg); };
    to.xSectorSize = [](sqlite3_file* f) { return system(f)->pMethods->xSectorSize(system(f)); };
    to.xDeviceCharacteristics = [](sqlite3_file* f) { return system(f)->pMethods->xDeviceCharacteristics(system(f)); };
    if (below.iVersion >= 2 && below.xShmMap != nullptr) {
      to.xShmMap = [](sqlite3_file* f, int page, int bytes, int extend, void volatile** at) {
        return system(f)->pMethods->xShmMap(system(f), page, bytes, extend, at);
      };
      to.xShmLock = lock;
      to.xShmBarrier = [](sqlite3_file* f) { system(f)->pMethods->xShmBarrier(system(f)); };
      to.xShmUnmap = [](sqlite3_file* f, int del) { return system(f)->pMethods->xShmUnmap(system(f), del); };
    }
    if (below.iVersion >= 3 && below.xFetch != nullptr) {
      to.xFetch = [](sqlite3_file* f, sqlite3_int64 offset, int bytes, void** at) {
        return system(f)->pMethods->xFetch(system(f), offset, bytes, at);
      };
      to.xUnfetch = [](sqlite3_file* f, sqlite3_int64 offset, void* at) {
        return system(f)->pMethods->xUnfetch(system(f), offset, at);
      };
    }
  }

  static int close(sqlite3_file* file) {
    const int code = system(file)->pMethods->xClose(system(file));
    of(file).~File();
    return code;
  }

  static int read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
    return carry_out(Call::read, of(file).kind, [&] { return system(file)->pMethods->xRead(system(file), to, bytes, offset); });
  }

  static int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    const bool had_power = power.load();
    const auto remember = [&] {
      if (disk == nullptr || of(file).path.empty()) return;
      disk->wrote(of(file).path, static_cast<uint64_t>(offset), {static_cast<const char*>(from), static_cast<size_t>(bytes)});
    };
    const int code = carry_out(Call::write, of(file).kind, [&] {
      const int written = system(file)->pMethods->xWrite(system(file), from, bytes, offset);
      if (written == SQLITE_OK) remember();
      return written;
    });
    // A write in which the power goes may have been done in part.
    if (had_power && !power.load()) remember();
    return code;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
    const bool had_power = power.load();
    const auto remember = [&] {
      if (disk != nullptr && !of(file).path.empty()) disk->truncated(of(file).path, static_cast<uint64_t>(bytes));
    };
    const int code = carry_out(Call::truncate, of(file).kind, [&] {
      const int truncated = system(file)->pMethods->xTruncate(system(file), bytes);
      if (truncated == SQLITE_OK) remember();
      return truncated;
    });
    if (had_power && !power.load()) remember();
    return code;
  }

  static int sync(sqlite3_file* file, int flags) {
    return carry_out(
        Call::sync, of(file).kind,
        [&] {
          if (disk == nullptr) return system(file)->pMethods->xSync(system(file), flags);
          if (of(file).path.empty()) return SQLITE_OK;
          // With the first sync of a new journal or -wal the system's VFS syncs the folder.
          if (of(file).kind != FileKind::database && disk->is_new(of(file).path)) disk->folder_synced();
          disk->synced(of(file).path);
          return SQLITE_OK;
        },
        [&] {
          if (disk != nullptr) disk->lost(of(file).path);
        });
  }

  static int lock(sqlite3_file* file, int offset, int count, int flags) {
    const auto take = [&] { return system(file)->pMethods->xShmLock(system(file), offset, count, flags); };
    constexpr int kExclusive = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
    if ((flags & kExclusive) != kExclusive || !power.load()) return take();
    return carry_out(Call::lock, of(file).kind, take);
  }

  static int remove(sqlite3_vfs*, const char* name, int sync_folder) {
    return carry_out(Call::remove, kind_of(name), [&] {
      const int code = system_vfs->xDelete(system_vfs, name, disk == nullptr ? sync_folder : 0);
      if (code == SQLITE_OK && disk != nullptr) {
        disk->removed(name);
        if (sync_folder != 0) disk->folder_synced();
      }
      return code;
    });
  }
};

FaultyVfs::FaultyVfs(FaultOrders& given_orders, UnsyncedDisk* given_disk) {
  system_vfs = sqlite3_vfs_find(nullptr);
  orders = &given_orders;
  disk = given_disk;
  power.store(true);
  layer = *system_vfs;
  layer.pNext = nullptr;
  layer.zName = "faulty";
  layer.szOsFile = static_cast<int>(File::kBytes) + system_vfs->szOsFile;
  layer.xOpen = Calls::open;
  layer.xDelete = Calls::remove;
  // Nobody else will give a lock back.
  if (disk != nullptr) layer.xSleep = [](sqlite3_vfs*, int microseconds) { return microseconds; };
  sqlite3_vfs_register(&layer, 1);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&layer);
  sqlite3_vfs_register(system_vfs, 1);
}

bool FaultyVfs::has_power() const {
  return power.load();
}

void FaultyVfs::power_on(uint64_t seed, UnsyncedDisk::Survival survival) {
  disk->power_cut(seed, survival);
  power.store(true);
}

}  // namespace arenad::test
