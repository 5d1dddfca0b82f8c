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

struct Flags {
  int number;
  unsigned set : 3;
};
unsigned set_in(const Flags& flags) {
  return flags.set;
}
union Either {
  int number;
  float real;
};
int number_of_either(const Either& either) {
  return either.number;
}
struct Shape {
  virtual ~Shape() = default;
};
std::unique_ptr<Shape> some_shape() {
  return nullptr;
}
int count_of(const std::vector<std::shared_ptr<Shape>>& shapes) {
  return static_cast<int>(shapes.size());
}
std::unique_ptr<Derived> some_derived() {
  return nullptr;
}
int number_behind(std::reference_wrapper<int> number) {
  return number;
}
struct Row {
  int cells[3];
};
int first_in(const Row& row) {
  return row.cells[0];
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
#ifdef BitField
  pool.apply<&set_in>(Flags());
#endif
#ifdef Union
  pool.apply<&number_of_either>(Either());
#endif
#ifdef Polymorphic
  pool.apply<&some_shape>();
#endif
#ifdef PolymorphicElements
  pool.apply<&count_of>(std::vector<std::shared_ptr<Shape>>());
#endif
#ifdef UncrossableOwned
  pool.apply<&some_derived>();
#endif
#ifdef ReferenceWrapper
  int number = 0;
  pool.apply<&number_behind>(std::ref(number));
#endif
#ifdef CArray
  pool.apply<&first_in>(Row());
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
#ifdef NoCalls
  pool.starmap<&sum_of>(std::vector<int>());
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
