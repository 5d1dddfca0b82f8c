#include "properties/contract_choices.h"

#include <algorithm>
#include <array>

#include "harness/sys/check.h"

namespace poolproof::properties {
namespace {

using Value = ContractChoice::Value;

template <auto member, auto value>
constexpr Value is(std::string_view text) {
  return {text, [](Contract& contract) { contract.*member = value; },
          [](const Contract& contract) { return contract.*member == value; }};
}

using Exit = Contract::Exit;
using Scope = Contract::Scope;
using Death = Contract::WorkerDeath;
constexpr std::array kExit{is<&Contract::exit, Exit::kTerminates>("\"terminates\""),
                           is<&Contract::exit, Exit::kDrains>("\"drains\""),
                           is<&Contract::exit, Exit::kWaitsForClose>("\"waits-for-close\"")};
constexpr std::array kScope{is<&Contract::scope, Scope::kTerminates>("\"terminates\""),
                            is<&Contract::scope, Scope::kDrains>("\"drains\"")};
constexpr std::array kDeath{is<&Contract::worker_death, Death::kReported>("\"reported\""),
                            is<&Contract::worker_death, Death::kRetried>("\"retried\""),
                            is<&Contract::worker_death, Death::kBreaks>("\"breaks\"")};

template <auto member, bool strictest>
constexpr std::array kFlag{is<member, strictest>(strictest ? "true" : "false"),
                           is<member, !strictest>(strictest ? "false" : "true")};

constexpr std::array kChoices{
    ContractChoice{"exit", kExit},
    ContractChoice{"scope", kScope},
    ContractChoice{"worker_death", kDeath},
    ContractChoice{"join_needs_close", kFlag<&Contract::join_needs_close, true>},
    ContractChoice{"holds_descriptors_until_drop",
                   kFlag<&Contract::holds_descriptors_until_drop, false>},
    ContractChoice{"join_waits", kFlag<&Contract::join_waits, true>},
    ContractChoice{"replaces_workers", kFlag<&Contract::replaces_workers, true>},
    ContractChoice{"starts_workers_late", kFlag<&Contract::starts_workers_late, false>},
    ContractChoice{"workers_are_daemons", kFlag<&Contract::workers_are_daemons, true>},
    ContractChoice{"ends_task_children", kFlag<&Contract::ends_task_children, true>},
    ContractChoice{"drop_ends_pool", kFlag<&Contract::drop_ends_pool, true>},
};

}  // namespace

std::span<const ContractChoice> contract_choices() {
  return kChoices;
}

const Value& value_of(const ContractChoice& choice, const Contract& contract) {
  const auto found = std::find_if(choice.values.begin(), choice.values.end(),
                                  [&](const Value& value) { return value.is(contract); });
  POOLPROOF_CHECK(found != choice.values.end());  // the table has every value
  return *found;
}

}  // namespace poolproof::properties
