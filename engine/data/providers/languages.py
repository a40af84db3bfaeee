"""What columns are called in other languages than English, and how the spreadsheets of each write numbers and dates."""

from __future__ import annotations

from typing import NamedTuple


class Dress(NamedTuple):
    """How a country's spreadsheets write: whether a comma is the decimal sign, and whether the day comes first."""

    comma_decimal: bool
    day_first: bool


_COMMA = Dress(comma_decimal=True, day_first=True)
_POINT = Dress(comma_decimal=False, day_first=False)
_GERMAN = {
    "time": ("Zeit", "Uhrzeit", "Zeitpunkt", "Datum/Zeit", "Datum/Uhrzeit", "Zeitstempel"),
    "date": ("Datum", "Handelstag", "Tag"),
    "open": ("Eröffnung", "Eröffnungskurs", "Eröffn.", "Erster", "Eroeffnung", "Erster Kurs"),
    "high": ("Hoch", "Höchst", "Höchstkurs", "Tageshoch", "Hoechst"),
    "low": ("Tief", "Tiefst", "Tiefstkurs", "Tagestief"),
    "close": ("Schluss", "Schlusskurs", "Zuletzt", "Letzter", "Letzter Kurs", "Schlu\xdf", "Kurs"),
    "volume": ("Stück", "Stuecke", "Stücke", "Volumen", "Umsatz", "Vol."),  # where there are pieces, the rest is money
    "symbol": ("Symbol", "Kürzel", "WKN", "ISIN"),
}
_FRENCH = {
    "time": ("Heure", "Horodatage", "Date/Heure"),
    "date": ("Jour",),
    "open": ("Ouverture", "Ouv."),
    "high": ("Haut", "Plus haut"),
    "low": ("Bas", "Plus bas"),
    "close": ("Clôture", "Dernier", "Fermeture", "Clot"),
    "symbol": ("Symbole",),
}
_ITALIAN = {
    "time": ("Ora",),
    "date": ("Data",),
    "open": ("Apertura",),
    "high": ("Massimo", "Max"),
    "low": ("Minimo", "Min"),
    "close": ("Chiusura", "Ultimo"),
    "symbol": ("Simbolo",),
}
_SPANISH = {
    "time": ("Hora",),
    "date": ("Fecha",),
    "open": ("Apertura",),
    "high": ("Máximo", "Alto"),
    "low": ("Mínimo", "Bajo"),
    "close": ("Cierre", "Último"),
    "symbol": ("Símbolo",),
}
_PORTUGUESE = {
    "time": ("Hora",),
    "date": ("Data",),
    "open": ("Abertura",),
    "high": ("Máxima", "Máximo"),
    "low": ("Mínima", "Mínimo"),
    "close": ("Fechamento", "Fecho", "Último"),
    "symbol": ("Ativo",),
}
_DUTCH = {
    "time": ("Tijd",),
    "date": ("Datum",),
    "high": ("Hoog", "Hoogste"),
    "low": ("Laag", "Laagste"),
    "close": ("Laatste", "Slot", "Sluiting"),
}
_NORDIC = {
    "time": ("Tid", "Aika"),
    "date": ("Datum", "Dato", "Päivämäärä", "Pvm"),
    "open": ("Öppning", "Åbning", "Åpning", "Avaus"),
    "high": ("Högst", "Högsta", "Høj", "Høyest", "Ylin"),
    "low": ("Lägst", "Lägsta", "Lav", "Lavest", "Alin"),
    "close": ("Senaste", "Stängning", "Sidste", "Siste", "Slutt", "Viimeisin", "Päätös"),
    "volume": ("Volym", "Vaihto"),
}
_POLISH = {
    "time": ("Czas",),
    "date": ("Data",),
    "open": ("Otwarcie",),
    "high": ("Najwyższy", "Max."),
    "low": ("Najniższy", "Min."),
    "close": ("Zamknięcie", "Ostatnio"),
    "volume": ("Wolumen", "Wol."),
}
_TURKISH = {
    "time": ("Saat",),
    "date": ("Tarih",),
    "open": ("Açılış",),  # noqa: RUF001 - as it is written
    "high": ("Yüksek", "En yüksek"),
    "low": ("Düşük", "En düşük"),
    "close": ("Şimdi", "Kapanış"),  # noqa: RUF001 - as it is written
    "volume": ("Hac.", "Hacim"),
}
_RUSSIAN = {
    "time": ("Время",),
    "date": ("Дата",),
    "open": ("Откр.", "Открытие", "Цена открытия"),
    "high": ("Макс.", "Максимум"),
    "low": ("Мин.", "Минимум"),
    "close": ("Закр.", "Закрытие", "Цена", "Цена закрытия"),
    "volume": ("Объём", "Обьем"),
    "symbol": ("Тикер",),
}
_CHINESE = {
    "time": ("时间", "時間", "日期时间"),
    "date": ("日期", "交易日期", "交易日"),
    "open": ("开盘", "开盘价", "開盤", "開盤價", "今开", "開市"),
    "high": ("最高", "最高价", "最高價", "高"),
    "low": ("最低", "最低价", "最低價", "低"),
    "close": ("收盘", "收盘价", "收盤", "收盤價", "收市"),
    "volume": ("成交量", "交易量", "总手", "成交股数", "成交股數"),
    "symbol": ("代码", "股票代码", "证券代码", "代碼"),
}
_JAPANESE = {
    "time": ("日時", "時刻"),
    "date": ("日付", "日付け", "年月日"),
    "open": ("始値",),
    "high": ("高値",),
    "low": ("安値",),
    "close": ("終値",),
    "volume": ("出来高",),
    "symbol": ("銘柄コード", "コード"),
}
_KOREAN = {
    "time": ("시간", "일시"),
    "date": ("날짜", "일자"),
    "open": ("시가", "오픈"),
    "high": ("고가",),
    "low": ("저가",),
    "close": ("종가",),
    "volume": ("거래량",),
    "symbol": ("종목코드",),
}
LANGUAGES: tuple[tuple[dict[str, tuple[str, ...]], Dress | None], ...] = (
    (_GERMAN, _COMMA),
    (_FRENCH, _COMMA),
    (_ITALIAN, _COMMA),
    (_SPANISH, _COMMA),
    (_PORTUGUESE, _COMMA),
    (_DUTCH, _COMMA),
    (_NORDIC, _COMMA),
    (_POLISH, None),
    (_TURKISH, _COMMA),
    (_RUSSIAN, _COMMA),
    (_CHINESE, _POINT),
    (_JAPANESE, _POINT),
    (_KOREAN, _POINT),
)
"""The words of each language by role, likeliest first, and how it is written; None where its files differ in that."""
