#pragma once

#include <string>

namespace poolproof::properties {

/// A link as a list has room for it; findings, JSON and JUnit have it in full. CPython's issues as
/// "gh-66587", others' as "celery/billiard#278", a line of code as "util.py#L353", a place in a
/// page as "multiprocessing.Process.daemon"; the rest without "https://", clipped.
std::string short_link(const std::string& link);

}  // namespace poolproof::properties
