//! The measured values of the cell: `AT+CCED`, `AT+EEMOPT`, `AT+EEMGINFO`, `AT+CTEC` (exchanges of an Air724UG, capture
//! q01; the other forms do not exist, assumed).

use super::super::line::Form;
use super::super::machine::Machine;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number};

pub(super) const TABLE: Table =
    &[("+CCED", current_cell), ("+CTEC", technology), ("+EEMGINFO", information), ("+EEMOPT", reporting)];

/// The values of the cell in capture q01 that the settings do not contain: band, EARFCN, cell identity, tracking area,
/// physical cell identity.
const CELL: (u16, u16, u32, u16, u16) = (3, 1650, 111_742_881, 6342, 81);

/// `+CCED:LTE current cell:460,11,<imsi>,0,3,n100,1650,111742881,51,19,6342,38,81`, without the profile's blanks.
fn current_cell(machine: &mut Machine, form: &Form) -> Outcome {
    let Form::Set(args) = form else { return Outcome::ERROR };
    if (number(args, 0), number(args, 1)) != (Some(0), Some(1)) {
        return Outcome::cme(Cme::Invalid);
    }
    if !machine.radio.in_service() {
        return Outcome::Ok;
    }
    let (band, channel, identity, area, physical) = CELL;
    let settings = &machine.settings;
    let (country, network) = settings.operator_number.split_at_checked(3).unwrap_or_default();
    let line = format!(
        "+CCED:LTE current cell:{country},{network},{},0,{band},n100,{channel},{identity},{},{},{area},38,{physical}",
        settings.imsi, settings.rsrp, settings.rsrq
    );
    machine.info(&line);
    Outcome::Ok
}

/// `+CTEC: 0,0`: the current technology and the preferred one.
fn technology(machine: &mut Machine, form: &Form) -> Outcome {
    if *form != Form::Read {
        return Outcome::ERROR;
    }
    machine.info("+CTEC: 0,0");
    Outcome::Ok
}

/// `+EEMGINFO: 3, 2`: the state of the connection, and the mode, LTE. The values of the cell follow the `OK` if
/// `AT+EEMOPT=1` is set.
fn information(machine: &mut Machine, form: &Form) -> Outcome {
    if *form != Form::Read {
        return Outcome::ERROR;
    }
    machine.info("+EEMGINFO: 3, 2");
    if !machine.radio.in_service() {
        return Outcome::Ok;
    }
    machine.final_line("OK");
    let line = figures(machine);
    machine.info(&line);
    Outcome::Bare
}

/// `+EEMLTESVC: 1120, 2, 17, 6342, 81, ...`: the digits of country and network read in base 16. Values that do not
/// belong to the cell are those of capture q01.
fn figures(machine: &Machine) -> String {
    let (band, channel, identity, area, physical) = CELL;
    let settings = &machine.settings;
    let (country, network) = settings.operator_number.split_at_checked(3).unwrap_or_default();
    let digits = network.len();
    let [country, network] = [country, network].map(|digits| u32::from_str_radix(digits, 16).unwrap_or(0));
    let power = settings.rsrp;
    format!(
        "+EEMLTESVC: {country}, {digits}, {network}, {area}, {physical}, {channel}, {channel}, {band}, 5, {identity}, \
         65535, {power}, 21, 6, {power}, 21, {power}, 21, 65535, 0, 255, 0, 0, 0, 0, 0, 65535, 0, 0, 0"
    )
}

fn reporting(_: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Set(args) if number(args, 0) == Some(1) => Outcome::Ok,
        Form::Set(_) => Outcome::cme(Cme::Invalid),
        Form::Execute | Form::Read | Form::Test => Outcome::ERROR,
    }
}
