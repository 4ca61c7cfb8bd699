#include "supervisor/exposition_writer.h"

#include <charconv>
#include <cmath>
#include <ostream>

#include "arenad/result.h"

namespace arenad {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

const char* type_name(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      ARENAD_ASSERT(false);
  }
  return "untyped";
}

void append_count(std::string& text, uint64_t count) {
  char digits[24];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, count).ptr);
}

// A double in as few digits as give it back. The form is printf's, so that a bucket's bound, which is a label, is written as it always was.
void append_value(std::string& text, double value) {
  constexpr double kWholeBelow = 9'007'199'254'740'992.0;  // 2^53: up to it each whole number is a double
  if (std::isnan(value)) {
    text += "NaN";
  } else if (std::isinf(value)) {
    text += value < 0 ? "-Inf" : "+Inf";
  } else if (value >= 0 && value < kWholeBelow && value == std::floor(value)) {
    append_count(text, static_cast<uint64_t>(value));
  } else {
    char digits[32];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general).ptr);
  }
}

void append_escaped(std::string& text, const std::string& value, bool is_quoted) {
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\\' || (c == '"' && is_quoted)) {
      text += '\\';
      text += c;
    } else {
      text += c;
    }
  }
}

// {name="value",...}, without the braces.
std::string labels_text(const ClientMetric& metric) {
  std::string text;
  for (const auto& label : metric.label) {
    if (!text.empty()) text += ',';
    text += label.name;
    text += "=\"";
    append_escaped(text, label.value, true);
    text += '"';
  }
  return text;
}

void append_name(std::string& text, const std::string& name, const char* suffix, const std::string& labels) {
  text += name;
  text += suffix;
  if (!labels.empty()) {
    text += '{';
    text += labels;
    text += '}';
  }
  text += ' ';
}

void append_histogram(std::string& text, const std::string& name, const std::string& labels,
                      const ClientMetric::Histogram& histogram) {
  append_name(text, name, "_count", labels);
  append_count(text, histogram.sample_count);
  text += '\n';
  append_name(text, name, "_sum", labels);
  append_value(text, histogram.sample_sum);
  text += '\n';
  for (const auto& bucket : histogram.bucket) {
    text += name;
    text += "_bucket{";
    text += labels;
    text += labels.empty() ? "le=\"" : ",le=\"";
    append_value(text, bucket.upper_bound);
    text += "\"} ";
    append_count(text, bucket.cumulative_count);
    text += '\n';
  }
}

void append_family(std::string& text, const MetricFamily& family) {
  text += "# HELP " + family.name + " ";
  append_escaped(text, family.help, false);
  text += "\n# TYPE " + family.name + " " + type_name(family.type) + "\n";
  for (const ClientMetric& metric : family.metric) {
    const std::string labels = labels_text(metric);
    if (family.type == MetricType::Histogram) {
      append_histogram(text, family.name, labels, metric.histogram);
      continue;
    }
    append_name(text, family.name, "", labels);
    append_value(text, family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
    text += '\n';
  }
}

}  // namespace

std::string ExpositionWriter::Serialize(const std::vector<MetricFamily>& families) const {
  std::string text;
  for (const MetricFamily& family : families) append_family(text, family);
  return text;
}

void ExpositionWriter::Serialize(std::ostream& out, const std::vector<MetricFamily>& families) const {
  out << Serialize(families);
}

}  // namespace arenad
