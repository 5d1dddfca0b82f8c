#include "properties/endings.h"

#include <gtest/gtest.h>

#include "properties/test_traces.h"
#include "properties/text.h"

namespace poolproof::properties {
namespace {

using namespace std::chrono_literals;

EndingCell orphans_for(double seconds) {
  EndingCell cell;
  cell.status = "TERM";
  cell.gone_after = 4ms;
  cell.workers = 4;
  cell.left_for = harness::Nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  return cell;
}

EndingCell nothing_left(const std::string& status, harness::Nanoseconds after) {
  EndingCell cell;
  cell.status = status;
  cell.gone_after = after;
  return cell;
}

EndingColumn column(const std::string& pool) {
  EndingColumn column{pool, "CPython 3.11.7", {}};
  column.cells.assign(ending_rows().size(), nothing_left("0", 40ms));
  column.cells[1] = nothing_left("1", 1320ms);
  column.cells[3] = orphans_for(1.34);
  column.cells[4] = orphans_for(0);
  column.cells[4].left_for.reset();
  column.cells[4].for_ever = true;
  column.cells[5].workers = 4;
  column.cells[5].others = 1;
  column.cells[6] = {};
  column.cells[7] = {};
  column.cells[7].main_never = true;
  column.cells[8].unclear = "n/a";
  return column;
}

TEST(Endings, AreTablesOf80ColumnsForOneToThreePools) {
  const std::vector<EndingColumn> pools{column("reference:fork"),
                                        column("multiprocessing.Pool:fork"),
                                        column("ProcessPoolExecutor:forkserver")};
  std::string text;
  for (std::size_t n = 1; n <= pools.size(); ++n) {
    text += endings_table(n == 1 ? Load::kIdle : Load::kBusy,
                          {pools.end() - static_cast<int>(n), pools.end()}, 3s);
  }
  EXPECT_TRUE(is_golden("endings.txt", text));
  for (const auto& line : lines_of(text)) EXPECT_LE(line.size(), kLineWidth) << line;
}

TEST(Endings, HaveARowForEachLetterOfTheAlphabet) {
  EXPECT_EQ(ending_rows().size(), harness::ending_table().size());
}

TEST(Endings, AWorkerProvedAtRestStaysForEver) {
  const auto cell = ending_cell(orphan_trace(), 3s);
  EXPECT_EQ(cell.status, "0");
  EXPECT_EQ(cell.workers, 1);
  EXPECT_TRUE(cell.for_ever);
}

TEST(Endings, WhoDiesALittleAfterMainDidNotStay) {
  TraceWriter writer;
  writer.at(1).born(9).task(1, 9).at(2).ends(sys::Killed{9});
  writer.at(20).dead(9, sys::Killed{9}).eof();
  const auto cell = ending_cell(writer.done(), 3s);
  EXPECT_EQ(cell.status, "KILL");
  EXPECT_TRUE(cell.nothing_left());
}

TEST(Endings, WhoDiesLaterStayedThatLong) {
  TraceWriter writer;
  writer.at(1).born(9).task(1, 9).at(2).ends(sys::Killed{15});
  writer.at(1502).dead(9, sys::Exited{0}).eof();
  const auto cell = ending_cell(writer.done(), 3s);
  EXPECT_EQ(cell.workers, 1);
  ASSERT_TRUE(cell.left_for.has_value());
  EXPECT_EQ(*cell.left_for, 1500ms);
  EXPECT_FALSE(cell.for_ever);
}

TEST(Endings, AMainThatNeverEndsIsNotCalledGone) {
  TraceWriter writer;
  writer.at(1).add(harness::EndingBegun{TraceWriter::kMain});
  harness::AtRest rest;
  rest.proved = true;
  writer.at(60).add(rest).add(harness::KilledByWarden{TraceWriter::kMain});
  const auto cell = ending_cell(writer.done(harness::End::kAtRest), 3s);
  EXPECT_FALSE(cell.gone_after.has_value());
  EXPECT_TRUE(cell.main_never);
}

TEST(Endings, BusyWorkersHaveProvedThatTheyRun) {
  const auto scenario = ending_scenario(executor_pool(), Load::kBusy, {});
  EXPECT_EQ(scenario.steps.size(), 1U + 4 + 4 + 4 + 1);
  EXPECT_EQ(ending_scenario(executor_pool(), Load::kIdle, {}).steps.size(), 1U + 4 + 4);
}

}  // namespace
}  // namespace poolproof::properties
