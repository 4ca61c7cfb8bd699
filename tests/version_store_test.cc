// Versions on disk: two files each, of which there is one copy however many versions share it.
#include "supervisor/version_store.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

#include <doctest/doctest.h>

namespace {

using namespace arenad;
namespace fs = std::filesystem;

struct Place {
  Place() {
    std::string name = (fs::temp_directory_path() / "arenad-versions-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  // A file of this content, kept.
  [[nodiscard]] KeptCode file(VersionStore& store, const std::string& name, const std::string& content) const {
    std::ofstream(folder / name, std::ios::binary | std::ios::trunc) << content;
    auto kept = store.files().keep(folder / name);
    REQUIRE(kept.ok());
    return kept.value();
  }
  [[nodiscard]] KeptVersion version(VersionStore& store, const std::string& module, const std::string& runtime) const {
    auto kept = store.keep(file(store, "tanks.so", module), file(store, "arena-worker", runtime));
    REQUIRE(kept.ok());
    return kept.value();
  }
  [[nodiscard]] size_t count(const char* what) const {
    return fs::exists(folder / what) ? static_cast<size_t>(std::distance(fs::directory_iterator(folder / what), {})) : 0;
  }
  fs::path folder;
};

}  // namespace

TEST_CASE("a version is a module and a runtime: either makes another one, and each content is there once") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion first = place.version(store, "module 1", "runtime 1");
  const KeptVersion module = place.version(store, "module 2", "runtime 1");
  const KeptVersion runtime = place.version(store, "module 1", "runtime 2");
  CHECK(place.version(store, "module 1", "runtime 1").hash == first.hash);
  CHECK(first.hash != module.hash);
  CHECK(first.hash != runtime.hash);
  CHECK(module.hash != runtime.hash);
  CHECK(place.count("versions") == 3);
  CHECK(place.count("modules") == 4);
  // The halves are not to be confused.
  const KeptVersion swapped = store.keep(first.runtime, first.module).value();
  CHECK(swapped.hash != first.hash);
  const VersionStore later(place.folder);
  const auto found = later.find(runtime.hash);
  REQUIRE(found);
  CHECK(found->hash == runtime.hash);
  CHECK(found->module.hash == first.module.hash);
  CHECK(found->runtime.file == runtime.runtime.file);
  CHECK(::access(found->runtime.file.c_str(), X_OK) == 0);
  CHECK_FALSE(later.find(first.module.hash));
  CHECK_FALSE(later.find(CodeHash{}));
}

TEST_CASE("forgetting a version leaves the files that others have") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion first = place.version(store, "module 1", "runtime 1");
  const KeptVersion second = place.version(store, "module 1", "runtime 2");
  store.forget(second.hash);
  CHECK_FALSE(store.find(second.hash));
  REQUIRE(store.find(first.hash));
  CHECK(fs::exists(first.module.file));
  CHECK_FALSE(fs::exists(second.runtime.file));
  (void)place.file(store, "loose", "belongs to nobody");
  CHECK(place.count("modules") == 3);
  store.forget_loose_files();
  CHECK(place.count("modules") == 2);
}

TEST_CASE("what is not needed goes, and what an interruption has left") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion needed = place.version(store, "module 1", "runtime 1");
  const KeptVersion other = place.version(store, "module 2", "runtime 2");
  std::ofstream(place.folder / "versions/.unfinished") << "modu";
  store.forget_all_but({needed.hash});
  CHECK(store.find(needed.hash));
  CHECK_FALSE(store.find(other.hash));
  CHECK(place.count("versions") == 1);
  CHECK(place.count("modules") == 2);
}

TEST_CASE("a version that cannot be read at the moment keeps its files") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion version = place.version(store, "module 1", "runtime 1");
  (void)place.file(store, "loose", "belongs to nobody");
  // A folder cannot be read as a file, whoever asks.
  const fs::path file = place.folder / "versions" / version.hash.text();
  fs::rename(file, place.folder / "away");
  fs::create_directory(file);
  store.forget_loose_files();
  store.forget_all_but({version.hash});
  CHECK(place.count("modules") == 3);
  fs::remove(file);
  fs::rename(place.folder / "away", file);
  CHECK(store.find(version.hash));
  store.forget_loose_files();
  CHECK(place.count("modules") == 2);
}

TEST_CASE("a version that cannot be looked at is not taken for one that is not there") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion version = place.version(store, "module", "runtime");
  const CodeHash unknown{0, 1};
  REQUIRE(store.look(version.hash).ok());
  CHECK(store.look(version.hash).value());
  CHECK_FALSE(store.look(unknown).value());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  // Descriptors that are open stay so.
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto looked = store.look(version.hash);
  const auto looked_for_unknown = store.look(unknown);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE_FALSE(looked.ok());
  CHECK(looked.error().errno_value == EMFILE);
  CHECK_FALSE(looked_for_unknown.ok());
  CHECK(store.find(version.hash));
}

TEST_CASE("a version that is not whole is none") {
  const Place place;
  VersionStore store(place.folder);
  const KeptVersion version = place.version(store, "module", "runtime");
  SUBCASE("its runtime is gone") {
    fs::remove_all(version.runtime.file.parent_path());
  }
  SUBCASE("its module is gone") {
    fs::remove_all(version.module.file.parent_path());
  }
  SUBCASE("it says nothing") {
    std::ofstream(place.folder / "versions" / version.hash.text(), std::ios::trunc) << "";
  }
  SUBCASE("it says something else") {
    std::ofstream(place.folder / "versions" / version.hash.text(), std::ios::trunc) << "module x\nruntime y\n";
  }
  CHECK_FALSE(store.find(version.hash));
  const KeptVersion again = place.version(store, "module", "runtime");
  CHECK(again.hash == version.hash);
  CHECK(store.find(version.hash));
}

TEST_CASE("a module from before runtimes were kept becomes a version under its own hash") {
  const Place place;
  VersionStore store(place.folder);
  const KeptCode module = place.file(store, "tanks.so", "old module");
  const KeptCode loose = place.file(store, "other.so", "not completed yet");
  const KeptCode runtime = place.file(store, "arena-worker", "runtime 1");
  CHECK_FALSE(store.find(module.hash));
  store.complete(module.hash, runtime);
  store.complete({0, 1}, runtime);
  store.complete({}, runtime);
  CHECK(place.count("versions") == 1);
  const auto completed = store.find(module.hash);
  REQUIRE(completed);
  CHECK(completed->hash == module.hash);
  CHECK(completed->module.hash == module.hash);
  CHECK(completed->runtime.hash == runtime.hash);
  // Once and for all.
  store.complete(module.hash, place.file(store, "arena-worker", "runtime 2"));
  CHECK(store.find(module.hash)->runtime.hash == runtime.hash);
  store.forget_all_but({module.hash, loose.hash});
  CHECK(place.count("modules") == 3);
  store.forget_loose_files();
  CHECK(store.files().find(loose.hash));
}
