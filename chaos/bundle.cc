#include "chaos/bundle.h"

#include <fmt/format.h>

#include "chaos/files.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

Error error_of(const std::error_code& error, const std::string& message) {
  return make_error(ErrorCode::failed, message + ": " + error.message());
}

Result<fs::path> make_folder(const fs::path& under, uint64_t seed) {
  std::error_code error;
  fs::create_directories(under, error);
  if (error) return error_of(error, "cannot make " + under.string());
  const std::string name = fmt::format("bundle-{}", seed);
  for (int number = 1;; ++number) {
    const fs::path folder = under / (number == 1 ? name : fmt::format("{}-{}", name, number));
    if (fs::create_directory(folder, error)) return folder;
    if (error) return error_of(error, "cannot make " + folder.string());
  }
}

// Files alone: a socket of a run that is over tells nothing.
Result<void> copy_files(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return error_of(error, "cannot make " + to.string());
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const fs::path target = to / entry.path().filename();
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) {
      if (auto copied = copy_files(entry.path(), target); !copied) return copied;
    } else if (entry.is_regular_file()) {
      fs::copy_file(entry.path(), target, error);
      if (error) return error_of(error, "cannot copy " + entry.path().string());
    }
  }
  return error ? Result<void>(error_of(error, "cannot read " + from.string())) : Result<void>();
}

}  // namespace

Result<void> write_bundle(const fs::path& under, const fs::path& stage_folder, RunRecord& record) {
  auto folder = make_folder(under, record.plan.seed);
  if (!folder) return folder.error();
  record.bundle = folder->string();
  if (auto written = write_file(*folder / "plan.json", to_json(record.plan)); !written) return written;
  if (auto written = write_file(*folder / "report.json", json_report(record)); !written) return written;
  if (auto written = write_file(*folder / "history.jsonl", history_lines(record)); !written) return written;
  return copy_files(stage_folder, *folder / "stage");
}

Result<Bundle> read_bundle(const fs::path& folder) {
  auto plan_text = read_file(folder / "plan.json");
  if (!plan_text) return make_error(ErrorCode::invalid, plan_text.error().text());
  auto plan = plan_of_json(*plan_text);
  if (!plan) return make_error(ErrorCode::invalid, (folder / "plan.json").string() + ": " + plan.error().text());
  auto report = read_file(folder / "report.json");
  if (!report) return make_error(ErrorCode::invalid, report.error().text());
  auto verdict = reported_in(*report);
  if (!verdict) return make_error(ErrorCode::invalid, (folder / "report.json").string() + ": " + verdict.error().text());
  return Bundle{std::move(*plan), std::move(*verdict)};
}

}  // namespace arenad::chaos
