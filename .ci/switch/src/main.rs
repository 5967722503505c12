//! Puts mutants behind switches: `air724ug-switch FILE < LIST`. `air724ug-switch --list FILE` lists places for mutants that
//! cargo-mutants does not know, in a line each: `If` (a condition), `Const` (the use of a constant) or `Lit` (a number),
//! the first byte and the byte behind the last. Tests have none.
//!
//! LIST has a line for each mutant: its number, its genre in cargo-mutants, the first byte that it replaces, the byte
//! behind the last, the replacement; divided by tabs. A line `keep` with a name leaves the functions of this name
//! `const`; all others that hold a mutant lose it. FILE is rewritten. Standard output has a line `number first end` for
//! each place of the new file that belongs to one mutant, so that an error of the compiler is attributed. A mutant
//! without such a line has no switch and is built alone.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;
use std::{env, fs, io};

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Arm, Block, Expr, ExprBinary, ExprStruct, ExprUnary, Signature};

struct Mutant {
    number: u32,
    genre: String,
    range: Range<usize>,
    replacement: String,
}

enum Kind {
    /// Left, operator, right; the mutants with their operators.
    Binary(Range<usize>, Range<usize>, Range<usize>, Vec<(u32, String)>),
    /// A mutant without the operator; the operand.
    Unary(u32, Range<usize>),
    /// Mutants with another guard, or another whole expression.
    Guard(Vec<(u32, String)>),
    /// A mutant without the arm, which has a guard.
    ArmWithGuard(u32),
    /// A mutant without the arm, which has none.
    Arm(u32),
    /// A mutant without the field in this range.
    Field(u32, Range<usize>),
    /// Mutants of a function that return at once.
    Return(Vec<(u32, String)>),
    /// Left out.
    Gone,
}

/// A part of the source that is written in another way.
struct Region {
    range: Range<usize>,
    kind: Kind,
}

struct Finder<'a> {
    mutants: &'a [Mutant],
    keep: &'a HashSet<String>,
    /// Whether this is evaluated by the compiler, where no switch can be asked.
    is_const: bool,
    /// Whether places are listed, and nothing is written.
    lists: bool,
    regions: Vec<Region>,
}

fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

/// Whether an operand is `let`, or a chain with one.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}

impl Finder<'_> {
    fn of(&self, genre: &str, is_here: impl Fn(&Range<usize>) -> bool) -> Vec<(u32, String)> {
        let here = self.mutants.iter().filter(|mutant| mutant.genre == genre && is_here(&mutant.range));
        here.map(|mutant| (mutant.number, mutant.replacement.clone())).collect()
    }

    /// A place of a genre that cargo-mutants does not know. The replacement of a mutant is the whole text.
    fn own(&mut self, genre: &str, range: Range<usize>) {
        if self.lists && !self.is_const {
            println!("{genre}\t{}\t{}", range.start, range.end);
        }
        let found = self.of(genre, |here| *here == range);
        if !found.is_empty() {
            self.add(range, Kind::Guard(found));
        }
    }

    fn add(&mut self, range: Range<usize>, kind: Kind) {
        if !self.is_const {
            self.regions.push(Region { range, kind });
        }
    }

    fn in_const(&mut self, is_const: bool, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.is_const, is_const);
        visit(self);
        self.is_const = outside;
    }

    fn function(&mut self, signature: &Signature, block: &Block, visit: impl FnOnce(&mut Self)) {
        let body = bytes(block.span());
        let holds_one = self.mutants.iter().any(|m| body.contains(&m.range.start) && m.range.end <= body.end);
        let keep = self.keep.contains(&signature.ident.to_string());
        self.in_const(signature.constness.is_some() && keep, |finder| {
            if let (Some(token), true) = (&signature.constness, holds_one && !keep) {
                finder.add(bytes(token.span), Kind::Gone);
            }
            let first = block.stmts.first().map_or(body.start, |first| bytes(first.span()).start);
            let returns = finder.of("FnValue", |range| range.start == body.start || range.start == first);
            if !returns.is_empty() {
                finder.add(body.start + 1..body.start + 1, Kind::Return(returns));
            }
            visit(finder);
        });
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block, |finder| visit::visit_item_fn(finder, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block, |finder| visit::visit_impl_item_fn(finder, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        match &item.default {
            Some(block) => self.function(&item.sig, block, |finder| visit::visit_trait_item_fn(finder, item)),
            None => visit::visit_trait_item_fn(self, item),
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.in_const(true, |finder| visit::visit_item_const(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.in_const(true, |finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.in_const(true, |finder| visit::visit_item_static(finder, item));
    }

    fn visit_expr_const(&mut self, item: &'ast syn::ExprConst) {
        self.in_const(true, |finder| visit::visit_expr_const(finder, item));
    }

    fn visit_type_array(&mut self, item: &'ast syn::TypeArray) {
        self.in_const(true, |finder| visit::visit_type_array(finder, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_pat(&mut self, _: &'ast syn::Pat) {}

    fn visit_expr_if(&mut self, item: &'ast syn::ExprIf) {
        if !has_let(&item.cond) {
            self.own("If", bytes(item.cond.span()));
        }
        visit::visit_expr_if(self, item);
    }

    fn visit_expr_path(&mut self, item: &'ast syn::ExprPath) {
        let name = item.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            self.own("Const", bytes(item.span()));
        }
    }

    fn visit_expr_lit(&mut self, item: &'ast syn::ExprLit) {
        if matches!(item.lit, syn::Lit::Int(_)) {
            self.own("Lit", bytes(item.span()));
        }
    }

    fn visit_expr_binary(&mut self, item: &'ast ExprBinary) {
        let operator = bytes(item.op.span());
        let found = self.of("BinaryOperator", |range| range.start == operator.start);
        if !found.is_empty() && !has_let(&item.left) && !has_let(&item.right) {
            let (left, right) = (bytes(item.left.span()), bytes(item.right.span()));
            self.add(bytes(item.span()), Kind::Binary(left, operator, right, found));
        }
        visit::visit_expr_binary(self, item);
    }

    fn visit_expr_unary(&mut self, item: &'ast ExprUnary) {
        let operator = bytes(item.op.span());
        for (number, replacement) in self.of("UnaryOperator", |range| range.start == operator.start) {
            if replacement.trim().is_empty() {
                self.add(bytes(item.span()), Kind::Unary(number, bytes(item.expr.span())));
            }
        }
        visit::visit_expr_unary(self, item);
    }

    fn visit_arm(&mut self, item: &'ast Arm) {
        let start = bytes(item.span()).start;
        for (number, _) in self.of("MatchArm", |range| range.start == start) {
            match &item.guard {
                Some((_, guard)) if has_let(guard) => {}
                Some((_, guard)) => self.add(bytes(guard.span()), Kind::ArmWithGuard(number)),
                None => {
                    let end = bytes(item.pat.span()).end;
                    self.add(end..end, Kind::Arm(number));
                }
            }
        }
        if let Some((_, guard)) = item.guard.as_ref().filter(|(_, guard)| !has_let(guard)) {
            let place = bytes(guard.span());
            let found = self.of("MatchArmGuard", |range| *range == place);
            if !found.is_empty() {
                self.add(place, Kind::Guard(found));
            }
        }
        visit::visit_arm(self, item);
    }

    fn visit_expr_struct(&mut self, item: &'ast ExprStruct) {
        for field in &item.fields {
            let start = bytes(field.span()).start;
            let of_field = |mutant: &&Mutant| mutant.genre == "StructField" && mutant.range.start == start;
            if let Some(mutant) = self.mutants.iter().find(of_field) {
                self.add(bytes(item.span()), Kind::Field(mutant.number, mutant.range.clone()));
            }
        }
        visit::visit_expr_struct(self, item);
    }
}

struct Writer<'a> {
    source: &'a str,
    regions: Vec<Region>,
    new: String,
    places: Vec<(u32, Range<usize>)>,
}

impl Writer<'_> {
    /// Writes a range of the source. Regions in it that stand behind place `from` of the list are written in their way.
    fn range(&mut self, from: usize, range: Range<usize>) {
        let mut at = range.start;
        for place in from..self.regions.len() {
            let Range { start, end } = self.regions[place].range;
            if start >= range.end {
                break;
            }
            if start >= at && end <= range.end {
                self.new.push_str(&self.source[at..start]);
                self.region(place);
                at = end;
            }
        }
        self.new.push_str(&self.source[at..range.end]);
    }

    /// What is written here belongs to one mutant.
    fn mutant(&mut self, number: u32, write: impl FnOnce(&mut Self, String)) {
        let start = self.new.len();
        write(self, format!("crate::mutant({number})"));
        self.places.push((number, start..self.new.len()));
    }

    fn region(&mut self, place: usize) {
        let (range, next) = (self.regions[place].range.clone(), place + 1);
        let kind = std::mem::replace(&mut self.regions[place].kind, Kind::Gone);
        match &kind {
            Kind::Binary(left, operator, right, mutants) => {
                let source = self.source;
                let write = |writer: &mut Self, operator: &str| {
                    writer.new.push_str("{ (");
                    writer.range(next, left.clone());
                    writer.new.push_str(&format!(") {operator} ("));
                    writer.range(next, right.clone());
                    writer.new.push_str(") }");
                };
                self.new.push('(');
                for (number, replacement) in mutants {
                    self.mutant(*number, |writer, is_on| {
                        writer.new.push_str(&format!("if {is_on} "));
                        write(writer, replacement);
                    });
                    self.new.push_str(" else ");
                }
                write(self, &source[operator.clone()]);
                self.new.push(')');
            }
            Kind::Unary(number, operand) => {
                self.new.push('(');
                self.mutant(*number, |writer, is_on| {
                    writer.new.push_str(&format!("if {is_on} {{ "));
                    writer.range(next, operand.clone());
                    writer.new.push_str(" }");
                });
                self.new.push_str(" else { ");
                self.range(next, range);
                self.new.push_str(" })");
            }
            Kind::Guard(mutants) => {
                self.new.push('(');
                for (number, replacement) in mutants {
                    self.mutant(*number, |writer, is_on| {
                        writer.new.push_str(&format!("if {is_on} {{ {replacement} }}"));
                    });
                    self.new.push_str(" else ");
                }
                self.new.push_str("{ ");
                self.range(next, range);
                self.new.push_str(" })");
            }
            Kind::ArmWithGuard(number) => {
                self.mutant(*number, |writer, is_on| writer.new.push_str(&format!("!{is_on} && (")));
                self.range(next, range);
                self.new.push(')');
            }
            Kind::Arm(number) => {
                self.mutant(*number, |writer, is_on| writer.new.push_str(&format!(" if !{is_on}")))
            }
            Kind::Field(number, field) => {
                self.new.push('(');
                self.mutant(*number, |writer, is_on| {
                    writer.new.push_str(&format!("if {is_on} {{ "));
                    writer.range(next, range.start..field.start);
                    writer.range(next, field.end..range.end);
                    writer.new.push_str(" }");
                });
                self.new.push_str(" else { ");
                self.range(next, range);
                self.new.push_str(" })");
            }
            Kind::Return(mutants) => {
                for (number, replacement) in mutants {
                    self.mutant(*number, |writer, is_on| {
                        writer.new.push_str(&format!(" if {is_on} {{ return {replacement}; }}"));
                    });
                }
            }
            Kind::Gone => {}
        }
        self.regions[place].kind = kind;
    }
}

fn main() {
    let lists = env::args().nth(1).is_some_and(|first| first == "--list");
    let path = env::args().nth(1 + usize::from(lists)).expect("a file");
    let source = fs::read_to_string(&path).expect("a file that can be read");
    let mut list = String::new();
    if !lists {
        io::stdin().read_to_string(&mut list).expect("a list");
    }
    let (mut mutants, mut keep) = (Vec::new(), HashSet::new());
    for line in list.lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            ["keep", name] => _ = keep.insert(name.to_owned()),
            [number, genre, start, end, replacement] => mutants.push(Mutant {
                number: number.parse().expect("a number"),
                genre: genre.to_owned(),
                range: start.parse().expect("an offset")..end.parse().expect("an offset"),
                replacement: replacement.to_owned(),
            }),
            _ => panic!("not a line of the list: {line}"),
        }
    }
    let file = syn::parse_file(&source).expect("a Rust source");
    let mut finder = Finder { mutants: &mutants, keep: &keep, is_const: false, lists, regions: Vec::new() };
    finder.visit_file(&file);
    if lists {
        return;
    }
    let mut regions = finder.regions;
    // Outer ones before inner ones, and what is only put in before what begins there; equal ones as they were found.
    regions.sort_by_key(|region| {
        (region.range.start, !region.range.is_empty(), std::cmp::Reverse(region.range.end))
    });
    let mut writer = Writer { source: &source, regions, new: String::new(), places: Vec::new() };
    writer.range(0, 0..source.len());
    fs::write(&path, &writer.new).expect("a file that can be written");
    for (number, place) in writer.places {
        println!("{number} {} {}", place.start, place.end);
    }
}
