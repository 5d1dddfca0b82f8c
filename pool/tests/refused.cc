#include <poolproof/pool.hpp>

void increment(int& number) {
  ++number;
}

struct Base {
  int number;
};
struct Derived : Base {
  int more;
};
int number_of(const Derived& derived) {
  return derived.number;
}
int length_of(std::vector<Derived> all) {
  return static_cast<int>(all.size());
}
struct Job {
  std::string_view path;
};
int length_of_path(const Job& job) {
  return static_cast<int>(job.path.size());
}
struct Numbered {
  const int number = 0;
};
int number_in(const Numbered& value) {
  return value.number;
}
int size_of(const std::vector<int>& all) {
  return static_cast<int>(all.size());
}
int sum_of(int a, int b = 0) {
  return a + b;
}
class NoDefault {
 public:
  explicit NoDefault(int number) : number(number) {}
  template <class Archive>
  void serialize(Archive& archive) {
    archive(number);
  }
  int number;
};
int* pointer_to() {
  return nullptr;
}

int main() {
  poolproof::Pool pool;
#ifdef Captures
  const int offset = 1;
  return pool.apply([offset](int x) { return x + offset; }, 3);
#endif
#ifdef Uncrossable
  pool.apply<&number_of>(Derived{});
#endif
#ifdef UncrossableElements
  pool.apply<&length_of>(std::vector<Derived>());
#endif
#ifdef UncrossableMember
  pool.apply<&length_of_path>(Job());
#endif
#ifdef ConstMember
  pool.apply<&number_in>(Numbered());
#endif
#ifdef ArgumentOfAnotherType
  pool.apply<&size_of>(5);  // no vector of five
#endif
#ifdef TooFewArguments
  pool.apply<&sum_of>(1);
#endif
#ifdef NoItems
  pool.map([](int x) { return x; }, 5);
#endif
#ifdef NoStreamOfItems
  pool.imap([](int x) { return x; }, 5);
#endif
#ifdef NoDefaultConstructor
  pool.apply([](const NoDefault& value) { return value.number; }, NoDefault(1));
#endif
#ifdef PointerResult
  pool.apply<&pointer_to>();
#endif
#ifdef UnregistrableError
  poolproof::register_error<NoDefault>();
#endif
#ifdef OutParameters
  pool.apply<&increment>(3);
#endif
}
