#pragma once

#include <string>
#include <vector>

#include "properties/campaign.h"
#include "properties/report.h"

namespace poolproof::properties {

/// A run as JUnit XML, for CI servers: a suite for each pool, in it a case for each rule. Violated
/// is a failure with the whole report; unclear, or violated by a case that does not repeat, an
/// error; known, no longer seen, not applicable and not exercised are skipped with the link or the
/// reason. What kept the harness from its work (`troubles`) are errors in a suite of their own.
/// results: the run's folder, and how to replay what lies in it.
/// What a subject said may hold any bytes; those that XML has no place for appear as \xNN.
/// Source: the schema of Jenkins' xUnit plugin, which others take too.
std::string as_junit(const CampaignResult& result, const std::vector<std::string>& troubles,
                     const CampaignOptions& options, const Again& results);

/// Text that may stand in XML 1.0: well-formed UTF-8 without control characters other than newline
/// and tab; every other byte as \xNN.
std::string xml_text(std::string_view text);

}  // namespace poolproof::properties
